// The runbook as HTML for the gateway's page, which links an error's code to `/runbook#<code>`: each article carries the codes it is for.
import { Marked } from "marked";

const CODE_ROW = /^\| ((?:`[a-z_.]+` *)+)\| \[[^\]]+\]\(#([^)]+)\) *\|$/gm;

export function runbookHtml(markdown) {
  const codes = new Map();
  for (const [, names, anchor] of markdown.matchAll(CODE_ROW)) {
    codes.set(anchor, [...(codes.get(anchor) ?? []), ...names.match(/[a-z]+\.[a-z_]+/g)]);
  }
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }) {
        const anchor = anchorOf(text);
        const spots = (codes.get(anchor) ?? []).map((code) => `<span id="${code}"></span>`).join("");
        return `${spots}<h${depth} id="${anchor}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      // What lies in the repository isn't on the gateway: its name stays, the link goes.
      link({ href, tokens }) {
        const inside = this.parser.parseInline(tokens);
        return href.startsWith("#") ? `<a href="${href}">${inside}</a>` : inside;
      },
      // What is wide scrolls by itself, also by keyboard.
      code({ text }) {
        return `<pre tabindex="0"><code>${escaped(text)}</code></pre>\n`;
      },
      table({ header, rows }) {
        const row = (cells, tag) => {
          const inside = cells.map(({ tokens }) => `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`);
          return `<tr>${inside.join("")}</tr>`;
        };
        const head = row(header, "th");
        const body = rows.map((cells) => row(cells, "td")).join("\n");
        return `<div class="wide" tabindex="0"><table><thead>${head}</thead><tbody>${body}</tbody></table></div>\n`;
      },
    },
  });
  return marked.parse(markdown);
}

// As GitHub does it.
function anchorOf(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
