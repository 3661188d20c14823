/* The list of answers: one box ticks all on the page, and a tick chooses the ticked ones. */
const all = document.querySelector("[data-tick-all]");
if (all) {
  const boxes = [...document.querySelectorAll("input[name=answers]")];
  const box = all.querySelector("input");
  const ticked = document.querySelector("input[name=reach][value=ticked]");
  all.hidden = false;
  box.addEventListener("change", () => {
    for (const one of boxes) one.checked = box.checked;
    ticked.checked = true;
  });
  for (const one of boxes) {
    one.addEventListener("change", () => {
      box.checked = boxes.every((other) => other.checked);
      ticked.checked = true;
    });
  }
}
