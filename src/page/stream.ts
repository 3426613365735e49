import { showRememberedFace } from "./face.ts";
import { startPage } from "./start.ts";

showRememberedFace();
document.addEventListener("DOMContentLoaded", startPage);
