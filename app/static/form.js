(() => {
  const find = id => document.getElementById(id), slug = location.pathname.split("/")[2];
  const form = document.forms[0], { ticket, number, subject } = form.elements;
  const [status, offline, panel, button] = ["status", "offline", "again", "send"].map(find);
  let store = {}, timer, waiting, sending, earlier, changing, pressed;
  try { store = sessionStorage; } catch {}

  // What was chosen last is saved last: the server keeps the highest number.
  const save = () => {
    clearTimeout(timer);
    if (!waiting || sending) return;
    waiting = false;
    number.value++;
    fetch(form.action.replace("/responses?", "/score?"), {
      method: "PUT", keepalive: true,
      body: new URLSearchParams({
        ticket: ticket.value, number: number.value, subject: subject.value,
        score: form.elements.score.value,
      }),
    }).then(answer => {
      if (answer.status > 499) waiting = true;
      else if (answer.ok && !waiting) status.textContent = status.dataset.saved;
    }, () => waiting = true);
  };
  form.addEventListener("change", event => {
    if (event.target.name != "score" || !event.isTrusted || changing) return;
    status.textContent = "";
    waiting = true;
    clearTimeout(timer);
    timer = setTimeout(save, 800);
  });
  addEventListener("online", () => { offline.textContent = ""; save(); });
  addEventListener("pagehide", save);
  addEventListener("visibilitychange", () => document.hidden && save());

  const choose = () => {
    const cell = /^#(\d|10)$/.test(location.hash)
      && form.querySelector(`[name=score][value="${location.hash.slice(1)}"]`);
    if (!cell) return;
    waiting = false;
    cell.checked = true;
    status.textContent = status.dataset.chosen.replace("#", cell.value);
  };
  addEventListener("hashchange", choose);
  choose();

  const free = () => { sending = false; button.removeAttribute("aria-disabled"); };
  // Scanners of mails press buttons by script, or send without pressing any.
  form.submit = () => {};
  form.addEventListener("click", event => {
    if (!event.isTrusted) event.preventDefault();
    pressed = event.isTrusted && event.target == button;
  });
  form.addEventListener("submit", event => {
    const away = navigator.onLine === false;
    if (sending || away || !pressed) event.preventDefault();
    if (sending || !pressed) return;
    offline.textContent = away ? offline.dataset.words : "";
    if (event.defaultPrevented) return;
    sending = true;
    waiting = false;
    button.setAttribute("aria-disabled", true);
    setTimeout(free, 5e3);
    try { store["sent " + slug] = ticket.value; } catch {}
  });

  const show = again => { panel.hidden = !again; form.hidden = again; };
  const begin = () => {
    free();
    earlier = store["answered " + slug];
    show(!!earlier && !document.querySelector(".error-summary"));
  };
  panel.addEventListener("click", ({ target, isTrusted }) => {
    if (!isTrusted || !target.name) return;
    changing = target.name == "change";
    if (changing) ticket.value = earlier;
    else {
      form.reset();
      delete store["answered " + slug];
      if (ticket.value == earlier) return location.reload();
      choose();
    }
    show(false);
    form.querySelector("[name=score]").focus();
  });
  addEventListener("pageshow", event => event.persisted && begin());
  begin();
})();
