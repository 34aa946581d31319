"use strict";

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const field = (label, input) => make("label", {}, label, input);

function address(article, inputs) {
  const query = new URLSearchParams();
  let path = article.dataset.path;
  for (const { name, place, input } of inputs) {
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (input.value) query.set(name, input.value);
  }
  return query.size ? `${path}?${query}` : path;
}

async function send(article, inputs, body, output) {
  const headers = {};
  const token = document.getElementById("token").value;
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = body.dataset.media;
  const method = article.dataset.method;
  try {
    const answer = await fetch(address(article, inputs), { method, headers, body: body?.value, credentials: "omit" });
    const type = answer.headers.get("Content-Type") ?? "";
    const isText = /json|text|xml/.test(type);
    const text = isText ? await answer.text() : `${(await answer.arrayBuffer()).byteLength} bytes of ${type}`;
    output.textContent = `${answer.status} ${answer.statusText}\n\n${type.includes("json") ? pretty(text) : text}`;
  } catch (error) {
    output.textContent = `No answer: ${error.message}`;
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function form(article) {
  const inputs = [...article.querySelectorAll("tr[data-name]")].map((row) => ({
    name: row.dataset.name,
    place: row.dataset.in,
    input: make("input", { type: "text", autocomplete: "off" }),
  }));
  const media = article.querySelector("ul li code")?.textContent;
  const example = article.querySelector("pre.example")?.textContent ?? "";
  const body = media ? make("textarea", { value: example, spellcheck: false }) : null;
  if (body) body.dataset.media = media;
  const output = make("pre", { hidden: true });
  output.setAttribute("role", "status");
  const made = make("form", {}, ...inputs.map(({ name, input }) => field(name, input)));
  if (body) made.append(field("body", body));
  made.append(make("button", { type: "submit" }, "Send"), output);
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    output.hidden = false;
    output.textContent = "…";
    send(article, inputs, body, output);
  });
  return make("details", {}, make("summary", {}, "Try it"), made);
}

for (const element of document.querySelectorAll(".needs-script")) element.hidden = false;
for (const article of document.querySelectorAll("article[data-method]")) article.append(form(article));

document.getElementById("filter").addEventListener("input", ({ target }) => {
  const wanted = target.value.toLowerCase().split(/\s+/);
  for (const item of document.querySelectorAll("nav li")) {
    const words = item.dataset.words.toLowerCase();
    item.hidden = !wanted.every((word) => words.includes(word));
  }
});
