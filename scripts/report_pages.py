"""A report as a list of blocks, which is written as one HTML page with everything in it, or as Markdown.

Blocks: heading(text), paragraph(text), verdict([text]), bullets([text]), table(header, rows), facts(rows), code(text),
figure(file, caption, svg=None). In texts `...` is code and **...** is bold.
"""

import base64
import html
import os
import re

STYLE = """
:root { color-scheme: light dark; --line: #8884; --back: #8881; --accent: #0072b2; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; margin: 1rem 0; }
div.wide { overflow-x: auto; } table.numbers th, table.numbers td { white-space: nowrap; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: left; }
table.numbers :is(th, td):not(:first-child) { text-align: right; }
.verdict { border-left: .4rem solid var(--accent); background: var(--back); padding: .6rem 1.2rem; font-size: 1.08rem; }
pre { background: var(--back); padding: .7rem 1rem; overflow-x: auto; } code { font-size: .9em; }
figure { margin: 1rem 0; } figure img { max-width: 100%; background: #fff; } svg { max-width: 100%; height: auto; }
figcaption { font-size: .9rem; opacity: .8; }
@media print { body { max-width: none; margin: 0; font-size: 10.5pt; } table.numbers { font-size: 7.5pt; }
    table.numbers :is(th, td) { white-space: normal; padding: .15rem .3rem; }
    table, figure, .verdict { break-inside: avoid; }
    pre { white-space: pre-wrap; } }
"""


def heading(text):
    return ("heading", text)


def paragraph(text):
    return ("paragraph", text)


def verdict(texts):
    return ("verdict", texts)


def bullets(texts):
    return ("bullets", texts)


def table(header, rows):
    """The first column is a name, the others numbers."""
    return ("table", header, rows)


def facts(rows):
    """A table of two columns of text, without a header."""
    return ("facts", rows)


def code(text):
    return ("code", text)


def figure(file, caption, svg=None):
    """file: a picture's path; svg: what it holds, where it is SVG, which becomes part of the page."""
    return ("figure", file, caption, svg)


# ---- HTML ----

def _inline(text):
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]*)`", r"<code>\1</code>", text)
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)


def _html_table(header, rows):
    def row(cells, tag):
        return "<tr>" + "".join(f"<{tag}>{_inline(cell)}</{tag}>" for cell in cells) + "</tr>\n"
    return ("<div class='wide'><table class='numbers'><thead>" + row(header, "th") + "</thead><tbody>" +
            "".join(row(cells, "td") for cells in rows) + "</tbody></table></div>")


def _html_figure(file, caption, svg):
    if svg is None:
        with open(file, "rb") as picture:
            content = base64.b64encode(picture.read()).decode()
        svg = f"<img alt=\"{html.escape(caption)}\" src='data:image/png;base64,{content}'>"
    return f"<figure>{svg}<figcaption>{_inline(caption)}</figcaption></figure>"


def html_page(title, blocks):
    kinds = {
        "heading": lambda text: f"<h2>{_inline(text)}</h2>",
        "paragraph": lambda text: f"<p>{_inline(text)}</p>",
        "verdict": lambda texts: "<div class='verdict'>" + "".join(f"<p>{_inline(t)}</p>" for t in texts) + "</div>",
        "bullets": lambda texts: "<ul>" + "".join(f"<li>{_inline(t)}</li>" for t in texts) + "</ul>",
        "table": _html_table,
        "facts": lambda rows: "<table>" + "".join(f"<tr><td>{_inline(key)}</td><td>{_inline(value)}</td></tr>\n"
                                                  for key, value in rows) + "</table>",
        "code": lambda text: f"<pre>{html.escape(text)}</pre>",
        "figure": _html_figure,
    }
    body = "\n".join(kinds[block[0]](*block[1:]) for block in blocks)
    return (f"<!doctype html>\n<html lang='en'>\n<meta charset='utf-8'>\n<meta name='viewport' "
            f"content='width=device-width'>\n<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n"
            f"<h1>{_inline(title)}</h1>\n{body}\n</html>\n")


# ---- Markdown ----

def _markdown_table(header, rows):
    def row(cells):
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
    return row(header) + row(["---"] + ["---:"] * (len(header) - 1)) + "".join(row(cells) for cells in rows)


def markdown_page(title, blocks, folder):
    """folder: that the page is written to, which paths of pictures are relative to."""
    kinds = {
        "heading": lambda text: f"## {text}\n",
        "paragraph": lambda text: f"{text}\n",
        "verdict": lambda texts: "\n".join(f"> {text}\n>" for text in texts).rstrip(">\n") + "\n",
        "bullets": lambda texts: "".join(f"- {text}\n" for text in texts),
        "table": _markdown_table,
        "facts": lambda rows: "".join(f"- {key}: {value}\n" for key, value in rows),
        "code": lambda text: "".join(f"    {line}\n" for line in text.splitlines()),
        "figure": lambda file, caption, svg: f"![{caption}]({os.path.relpath(file, folder)})\n",
    }
    return f"# {title}\n\n" + "\n".join(kinds[block[0]](*block[1:]) for block in blocks)
