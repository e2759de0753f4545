/** A turbine. */
export const FAVICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="7" fill="#0f6e66"/>
<g fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round">
<path d="M16 14v13"/><path d="M16 13V4"/><path d="m16 13 8 4.6"/><path d="m16 13-8 4.6"/></g>
<circle cx="16" cy="13" r="2.2" fill="#fff"/></svg>
`;
