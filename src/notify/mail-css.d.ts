declare module "*/mail.css" {
  const text: string;
  export default text;
}
