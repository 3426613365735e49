import { byId, tell, wordsOf } from "./elements.ts";
import { remember, remembered } from "./preferences.ts";

const FACES = ["system", "light", "dark"] as const;
type Face = (typeof FACES)[number];

/** Gives the page the face that was chosen last; before it is drawn, so that it does not flash. */
export function showRememberedFace(): void {
  show(FACES.find((face) => face === remembered("face")) ?? "system");
}

/** The button goes round: as the system, light, dark. */
export function connectFaceButton(): void {
  const button = byId("theme", HTMLButtonElement);
  const name = () => {
    const text = `Colours: ${current()}`;
    wordsOf(button).textContent = text;
    button.title = text;
    return text;
  };
  name();
  button.addEventListener("click", () => {
    const next = FACES[(FACES.indexOf(current()) + 1) % FACES.length] ?? "system";
    remember("face", next === "system" ? null : next);
    show(next);
    tell(name());
  });
}

function current(): Face {
  return FACES.find((face) => face === document.documentElement.dataset["face"]) ?? "system";
}

function show(face: Face): void {
  if (face === "system") delete document.documentElement.dataset["face"];
  else document.documentElement.dataset["face"] = face;
}
