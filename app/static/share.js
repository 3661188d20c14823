/* The share page: buttons that copy, and a preview that takes the height of what it shows. */
const { copy, copied } = document.querySelector("[data-copy]").dataset;

for (const text of document.querySelectorAll(".copyable input, .snippet textarea")) {
  const button = document.createElement("button");
  const name = document.createElement("span");
  const status = document.createElement("span");
  name.className = "vh";
  name.textContent = ` (${text.labels[0].textContent})`;
  status.className = "soft";
  status.setAttribute("role", "status");
  button.type = "button";
  button.className = "btn btn-secondary";
  button.append(copy, name);
  button.addEventListener("click", async () => {
    text.select();
    try {
      await navigator.clipboard.writeText(text.value);
      status.textContent = copied;
    } catch {
      status.textContent = ""; // what is selected can still be copied by hand
    }
  });
  const row = document.createElement("div");
  row.className = "row copy";
  row.append(button, status);
  text.after(row);
}

const preview = document.querySelector(".form-preview");
addEventListener("message", ({ source, origin, data }) => {
  if (source !== preview.contentWindow || origin !== location.origin || data?.honne !== 1) return;
  preview.style.height = `${data.height + 2}px`;
});
