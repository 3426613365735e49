declare module "*/build/THIRD-PARTY-LICENSES.txt" {
  const text: string;
  export default text;
}
