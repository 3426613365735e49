declare module "*/build/page/stream.js" {
  const text: string;
  export default text;
}

declare module "*/build/page/stream.css" {
  const text: string;
  export default text;
}
