// The small behaviour of every page. Everything here is an addition: without it all links and forms still work.
(() => {
  const announcer = document.getElementById("announcer");

  function announce(text) {
    if (announcer && announcer.textContent !== text) announcer.textContent = text;
  }

  // ── Colours: system, light, dark ──────────────────────────────────────────────────────────────────────────────────
  const themes = [[null, "as the system", "contrast"], ["light", "light", "sun"], ["dark", "dark", "moon"]];

  function showTheme(button) {
    const [, words, icon] = themes.find(([value]) => value === window.theme.chosen) ?? themes[0];
    button.hidden = false;
    button.setAttribute("aria-label", `Colours: ${words}`);
    button.title = `Colours: ${words}`;
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
  }

  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    showTheme(button);
    button.addEventListener("click", () => {
      const now = themes.findIndex(([value]) => value === window.theme.chosen);
      window.theme.choose(themes[(now + 1) % themes.length][0]);
      showTheme(button);
      announce(button.title);
    });
  }

  // ── Dialogs: a link whose page also stands in a <dialog> opens it here ────────────────────────────────────────────
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (dialog) {
        event.preventDefault();
        dialog.showModal();
        dialog.querySelector("form :is(input:not([type=hidden]), textarea, select)")?.focus(); // not its “Close”
        dialog.addEventListener("close", () => opener.focus(), { once: true });
      }
    }
    if (event.target.matches("dialog")) event.target.close(); // the backdrop belongs to the dialog itself
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    const dismissed = event.target.closest("[data-dismiss]");
    if (dismissed) dismissed.parentElement.remove();
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // ── Keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  const typing = (element) => element.closest("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const menu = document.querySelector("details.menu[open]");
      if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    }
    if (event.key === "/" && !typing(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = document.querySelector("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    }
  });

  // ── Tables: the whole row is its link ─────────────────────────────────────────────────────────────────────────────
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr.row-link");
    if (!row || event.target.closest("a, button, input, label, summary, select")) return;
    if (String(getSelection())) return; // somebody is copying a number
    const link = row.querySelector("a[href]");
    if (!link) return;
    if (event.metaKey || event.ctrlKey) window.open(link.href, "_blank", "noopener");
    else link.click();
  });

  // ── Messages ──────────────────────────────────────────────────────────────────────────────────────────────────────
  function fade(message) {
    let timer;
    const start = () => { timer = setTimeout(() => message.remove(), 8000); };
    message.addEventListener("pointerenter", () => clearTimeout(timer));
    message.addEventListener("pointerleave", start);
    message.addEventListener("focusin", () => clearTimeout(timer));
    start();
  }

  function tell(text) {
    const box = document.getElementById("messages");
    if (!box) return;
    for (const earlier of box.querySelectorAll("[data-told]")) earlier.remove();
    const message = document.createElement("div");
    message.className = "message message-error";
    message.dataset.told = "";
    const words = document.createElement("p");
    words.textContent = text;
    message.append(words);
    box.append(message);
  }

  // ── What each new piece of a page gets ────────────────────────────────────────────────────────────────────────────
  const zoned = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "medium" });
  const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });
  const zoneName = (date) => zone.formatToParts(date).find(({ type }) => type === "timeZoneName").value;

  function localTime(time) {
    const date = new Date(time.dateTime);
    const text = `${zoned.format(date)} ${zoneName(date)}`;
    if (time.dataset.local === "title") time.title = text;
    else time.textContent = text;
  }

  // data-limits='{"Kore.ai": 48}' on a text field: what each vendor allows, counted while one types.
  function counters(input) {
    const limits = Object.entries(JSON.parse(input.dataset.limits));
    const line = document.createElement("div");
    line.className = "counters";
    line.setAttribute("aria-hidden", "true"); // the help text says the limits; the error says when one is passed
    input.after(line);
    const count = () => {
      const length = [...input.value].length;
      line.replaceChildren(...limits.map(([vendor, limit]) => {
        const counter = document.createElement("span");
        counter.className = length > limit ? "counter counter-over" : "counter";
        counter.textContent = `${vendor} ${length}/${limit}`;
        return counter;
      }));
    };
    input.addEventListener("input", count);
    count();
  }

  function enhance(root) {
    const each = (selector, action) => {
      if (root.matches?.(selector)) action(root);
      root.querySelectorAll(selector).forEach(action);
    };
    each("time[data-local]", localTime);
    each("[data-limits]", counters);
    each("[data-fades]", fade);
    each("[data-focus]", (element) => element.focus());
    each("[data-announce]", (element) => announce(element.dataset.announce));
    each(".tabs [aria-current]", (tab) => {
      const { parentElement: tabs } = tab;
      const hidden = tab.getBoundingClientRect().right - tabs.getBoundingClientRect().right;
      if (hidden > 0) tabs.scrollLeft += hidden + 24; // the edge of the next one shows that there is more
    });
    each("select[data-submits]", (select) => select.addEventListener("change", () => select.form.requestSubmit()));
  }

  enhance(document.body);

  // A button that was pressed is busy at once, and cannot be pressed twice.
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (form.method !== "post" || form.hasAttribute("hx-post") || !submitter || event.defaultPrevented) return;
    if (submitter.hasAttribute("data-stays")) return; // a download leaves the page as it is
    setTimeout(() => {
      submitter.setAttribute("aria-busy", "true");
      submitter.disabled = true;
    });
  });
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button[aria-busy]")) {
      button.removeAttribute("aria-busy");
      button.disabled = false;
    }
  });

  // ── htmx ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  const polls = (element) => /\bevery\b/.test(element.getAttribute("hx-trigger") ?? "");
  let opened = [];
  let focused = null;
  let scrolled = [];
  const scrollers = ".tabs, .table-responsive";

  const changed = (field) => (field.matches("select")
    ? [...field.options].some((option) => option.selected !== option.defaultSelected)
    : field.value !== field.defaultValue || field.checked !== field.defaultChecked);

  // What a poll must not take away: words just marked to be copied, an answer half typed, a choice held open.
  function inUse(part) {
    const marked = getSelection();
    if (!marked.isCollapsed && marked.rangeCount && marked.getRangeAt(0).intersectsNode(part)) return true;
    return part.contains(document.activeElement) && document.activeElement.matches("select")
      || [...part.querySelectorAll("input, select, textarea")].some(changed);
  }

  // htmx gives the focus back to what has an id; this finds the same link or button again where it has none.
  function placeOf(element, part) {
    if (element.id || !part.contains(element)) return null;
    const href = element.getAttribute("href");
    const alike = href === null ? element.localName : `${element.localName}[href="${CSS.escape(href)}"]`;
    return { alike, number: [...part.querySelectorAll(alike)].indexOf(element) };
  }

  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, target } = event.detail;
    // Nobody is looking, or somebody is at it: the next turn asks again.
    if (polls(elt) && (document.hidden || inUse(target))) return event.preventDefault();
    if (!polls(elt)) target?.setAttribute("aria-busy", "true"); // what nobody asked for must not dim what they read
  });

  document.body.addEventListener("htmx:afterRequest", (event) => event.detail.target?.removeAttribute("aria-busy"));

  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target, requestConfig } = event.detail;
    // The login page is an answer to nothing a part asked: the session has ended, so the whole page goes there.
    if (new URL(xhr.responseURL || location.href, location.href).pathname.startsWith("/accounts/")) {
      event.detail.shouldSwap = false;
      location.reload();
      return;
    }
    if (polls(requestConfig.elt) && inUse(target)) event.detail.shouldSwap = false;
    opened = [...target.querySelectorAll("details[open][id]")].map(({ id }) => id);
    focused = placeOf(document.activeElement, target);
    scrolled = [...target.querySelectorAll(scrollers)].map(({ scrollLeft }) => scrollLeft);
  });

  document.body.addEventListener("htmx:afterSwap", (event) => {
    const { elt, requestConfig } = event.detail;
    if (polls(requestConfig.elt)) {
      elt.classList.remove("htmx-added"); // nor fade
      if (focused) elt.querySelectorAll(focused.alike)[focused.number]?.focus({ preventScroll: true });
    }
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    enhance(elt);
    if (polls(requestConfig.elt)) {
      elt.querySelectorAll(scrollers).forEach((part, number) => { part.scrollLeft = scrolled[number] ?? 0; });
    }
  });

  document.body.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    if (status === 403) tell("You may not do this, or your login is from another tab. Reload the page and try again.");
    else if (status === 404) tell("This is gone. Reload the page to see what is there now.");
    else if (status === 413) tell("This is more than the server takes. Send it in smaller parts.");
    else tell("The server could not answer. Nothing was lost; try again, and tell an administrator if it stays so.");
  });

  document.body.addEventListener("htmx:sendError", (event) => {
    if (!polls(event.detail.elt)) tell("The server cannot be reached. Check your connection and try again.");
  });
})();
