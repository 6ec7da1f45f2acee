// Runs before the first paint. Without a choice the style sheet follows the system by itself.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  let chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch { /* storage is switched off: follow the system */ }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => { root.dataset.bsTheme = chosen || (dark.matches ? "dark" : "light"); };
  apply();
  dark.addEventListener("change", apply);
  window.theme = {
    get chosen() { return chosen; },
    choose(value) {
      chosen = value;
      try { value ? localStorage.setItem("theme", value) : localStorage.removeItem("theme"); } catch { /* as above */ }
      apply();
    },
  };
})();
