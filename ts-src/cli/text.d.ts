// Files imported as text: import x from "./x.css" with { type: "text" }.
declare module "*.css" {
  const text: string;
  export default text;
}
declare module "*.iife.min.js" {
  const text: string;
  export default text;
}
declare module "*/report-client.js" {
  const text: string;
  export default text;
}
declare module "*/LICENSE" {
  const text: string;
  export default text;
}
