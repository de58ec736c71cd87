/* Keys for buttons that say so, outside of fields: p, f and s of a review. */
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const button = document.querySelector(`button[data-key="${CSS.escape(event.key)}"]`);
  if (button) {
    event.preventDefault();
    button.click();
  }
});

/* On a phone the names of the pages are wider than the screen: where one is, is to be seen. */
document.querySelector("nav a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
