/* Honne: a survey's form on your page. This address stays valid, and stays compatible. No cookie,
   no id, nothing loaded but the form; for a pop-over, a flag in localStorage that it was shown. */
(() => {
  "use strict";
  const AGAIN = Symbol.for("honne.embed.v1");
  if (window[AGAIN]) return window[AGAIN]();

  const source = (document.currentScript || document.querySelector('script[src*="/embed.v1.js"]')).src;
  const placed = new WeakSet();
  const openers = new Map();
  const STYLE = `
:host{all:initial}
div{position:fixed;z-index:2147483000;inset-block-end:16px;inset-inline-end:16px;box-sizing:border-box;width:416px;max-height:min(600px,100vh - 32px);display:flex;flex-direction:column;overflow:hidden;border:1px solid #7f796d;border-radius:16px;background:#faf8f4;color:#1e2330;box-shadow:0 8px 40px #0004;visibility:hidden}
.on{visibility:visible}
button{align-self:flex-end;flex:none;width:44px;height:44px;padding:0;border:0;background:none;color:inherit;font:28px/1 system-ui,sans-serif;cursor:pointer}
button:focus-visible{outline:3px solid;outline-offset:-6px;border-radius:16px}
iframe{min-height:0}
p{position:absolute;width:1px;height:1px;margin:0;overflow:hidden;clip-path:inset(50%)}
@media(max-width:480px){div{inset-inline:0;inset-block-end:0;width:auto;max-height:75vh;border-width:1px 0 0;border-radius:16px 16px 0 0}}
@media(prefers-color-scheme:dark){div{background:#13151b;color:#ecebe6;border-color:#858a98}}
@media(prefers-reduced-motion:no-preference){.on{animation:in .25s}@keyframes in{from{opacity:0;transform:translateY(16px)}}}
@media print{div{display:none}}`;

  const emit = (place, name) => place.dispatchEvent(new CustomEvent("honne:" + name, {
    bubbles: true, detail: { survey: place.dataset.honneSurvey },
  }));

  const addressOf = place => {
    const { honneSurvey, honneLang } = place.dataset;
    const address = new URL("s/" + encodeURIComponent(honneSurvey), source);
    const around = place.closest("[lang]");
    for (const { name, value } of place.attributes) {
      const [, key] = /^data-honne-segment-(.+)/.exec(name) || [];
      if (key) address.searchParams.set(key, value);
    }
    address.searchParams.set("lang", honneLang || (around ? around.lang : ""));
    address.searchParams.set("embed", location.origin);
    return address;
  };

  // The form's frame; `hear` is told what the page in it says of itself.
  const makeFrame = (place, height, hear) => {
    const address = addressOf(place);
    const frame = document.createElement("iframe");
    let answered = false;
    frame.src = address;
    frame.title = place.dataset.honneTitle || "Survey";
    frame.referrerPolicy = "no-referrer";
    Object.assign(frame.style, { display: "block", width: "100%", border: "0", height });
    addEventListener("message", ({ source, origin, data }) => {
      if (source !== frame.contentWindow || origin !== address.origin) return;
      if (!data || data.honne !== 1) return;
      frame.title = data.title;
      if (data.height > 0) frame.style.height = Math.min(data.height, 9999) + "px";
      hear(data);
      if (data.state === "answered" && !answered) emit(place, data.state);
      answered = answered || data.state === "answered";
    });
    return frame;
  };

  const putInline = place => {
    let loads = 0;
    let shown = false;
    const frame = makeFrame(place, "640px", () => {
      if (!shown) emit(place, "shown");
      shown = true;
    });
    frame.loading = "lazy";
    frame.style.borderRadius = "12px";
    frame.addEventListener("load", () => {
      // The page after the form is shorter, and would begin above what is in sight.
      if (loads++ && frame.getBoundingClientRect().top < 0) frame.scrollIntoView();
    });
    if (place.localName === "script") place.after(frame); else place.append(frame);
  };

  const wasShown = flag => {
    try {
      return localStorage.getItem(flag);
    } catch (blocked) {
      return true; // what cannot be remembered would come again on every page
    }
  };

  const remember = flag => {
    try {
      localStorage.setItem(flag, "1");
    } catch (blocked) { /* then nothing is remembered */ }
  };

  const putPopover = place => {
    const flag = "honne:" + place.dataset.honneSurvey;
    const delay = Number(place.dataset.honneDelay || 5);
    let host, box, frame, note, back;
    let waiting = false;

    const show = (from, isPerson) => {
      back = from || document.activeElement;
      if (!box.classList.contains("on")) emit(place, "shown");
      box.classList.add("on");
      remember(flag);
      if (isPerson) frame.focus(); else note.textContent = frame.title;
    };
    const hide = () => {
      if (!box || !box.classList.contains("on")) return;
      const isInside = document.activeElement === host;
      box.classList.remove("on");
      note.textContent = "";
      if (isInside && back) back.focus();
      emit(place, "closed");
    };
    const hear = ({ state, title, close, lang }) => {
      box.lang = lang; // not its direction: which corner it is follows the page
      box.setAttribute("aria-label", title);
      box.firstChild.setAttribute("aria-label", close);
      if (waiting && state === "open") show();
      waiting = false;
      if (state === "closed") hide();
    };
    const build = () => {
      if (host) return;
      host = document.createElement("div");
      box = document.createElement("div");
      note = document.createElement("p");
      frame = makeFrame(place, "480px", hear);
      const button = document.createElement("button");
      const root = host.attachShadow({ mode: "open" });
      try {
        const sheet = new CSSStyleSheet(); // a page's policy may forbid style elements, never these
        sheet.replaceSync(STYLE);
        root.adoptedStyleSheets = [sheet];
      } catch (old) {
        root.appendChild(document.createElement("style")).textContent = STYLE;
      }
      button.type = "button";
      button.textContent = "×";
      button.setAttribute("aria-label", "Close");
      button.addEventListener("click", hide);
      note.setAttribute("role", "status");
      box.setAttribute("role", "dialog");
      box.setAttribute("aria-label", frame.title);
      box.append(button, frame, note);
      root.append(box);
      document.body.append(host);
    };

    document.addEventListener("keydown", event => {
      if (event.key === "Escape" && !event.defaultPrevented && !event.isComposing) hide();
    });
    openers.set(place.dataset.honneSurvey, (from, isPerson) => {
      build();
      waiting = false;
      show(from, isPerson);
    });
    if (delay >= 0 && !wasShown(flag)) {
      setTimeout(() => {
        if (host || wasShown(flag)) return;
        waiting = true; // until the form says that it can be answered
        build();
      }, delay * 1000);
    }
  };

  const scan = () => document.querySelectorAll("[data-honne-survey]").forEach(place => {
    if (placed.has(place)) return;
    placed.add(place);
    (place.dataset.honneMode === "popover" ? putPopover : putInline)(place);
  });

  document.addEventListener("click", event => {
    const from = event.target.closest("[data-honne-open]");
    const open = from && openers.get(from.dataset.honneOpen);
    if (open) {
      event.preventDefault();
      open(from, event.isTrusted);
    }
  });
  document.addEventListener("honne:scan", scan);
  window[AGAIN] = scan;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", scan);
  else scan();
})();
