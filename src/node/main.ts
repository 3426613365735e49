import "./later.ts";
import "../main.ts";
