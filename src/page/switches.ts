import { byId } from "./elements.ts";

/** A button that is pressed or not. */
export interface Switch {
  isOn: boolean;
  toggle(): void;
}

export function connectSwitch(
  id: string,
  isOn: boolean,
  onChange: (isOn: boolean) => void,
): Switch {
  const button = byId(id, HTMLButtonElement);
  const show = (value: boolean) => button.setAttribute("aria-pressed", String(value));
  const toggle = () => {
    isOn = !isOn;
    show(isOn);
    onChange(isOn);
  };
  button.addEventListener("click", toggle);
  show(isOn);
  return {
    get isOn() {
      return isOn;
    },
    set isOn(value) {
      isOn = value;
      show(value);
    },
    toggle,
  };
}
