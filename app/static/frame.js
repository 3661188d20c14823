(() => {
  const root = document.documentElement, { parent: to, state, close } = root.dataset;
  const tell = news => parent.postMessage({
    honne: 1, state: news, close, title: document.title, lang: root.lang,
    height: Math.ceil(root.getBoundingClientRect().height),
  }, to);
  const problem = document.querySelector(".error-summary");
  if (problem) problem.focus();
  if (!to || parent === self) return;
  new ResizeObserver(() => tell(state)).observe(root);
  addEventListener("keydown", event => {
    if (event.key === "Escape" && event.isTrusted && !event.isComposing) tell("closed");
  });
})();
