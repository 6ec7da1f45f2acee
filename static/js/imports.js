// The upload: what was chosen, how far it is, and answers that say no. Without it the form works all the same.
(() => {
  const size = (bytes) =>
    bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024).toLocaleString("en-GB")} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  const form = () => document.querySelector("form.upload");

  function showChosen(input) {
    const zone = input.closest(".dropzone");
    const [file] = input.files;
    const cap = Number(form().dataset.cap);
    if (!file) return;
    zone.querySelector("[data-chosen]").textContent = file.name;
    const over = file.size > cap * 1024 * 1024;
    zone.querySelector("[data-chosen-size]").textContent = over ? `${size(file.size)}, and ${cap} MB are allowed` : size(file.size);
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches(".dropzone input[type=file]")) showChosen(event.target);
  });

  for (const [kind, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(kind, (event) => {
      const zone = event.target.closest?.(".dropzone");
      if (!zone) return;
      zone.classList.toggle("is-over", over);
      if (kind === "dragleave") return;
      event.preventDefault();
      if (kind === "drop" && event.dataTransfer.files.length) {
        const input = zone.querySelector("input[type=file]");
        input.files = event.dataTransfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
  }

  document.body.addEventListener("htmx:xhr:progress", (event) => {
    const box = form()?.querySelector("[data-upload-progress]");
    const { loaded, total } = event.detail;
    if (!box || !total || total < 1024 * 1024) return;
    box.hidden = false;
    box.querySelector("progress").value = (100 * loaded) / total;
    box.querySelector("[data-upload-words]").textContent =
      loaded < total ? `${size(loaded)} of ${size(total)} sent` : "Sent; looking at the file";
  });

  // A file over the cap is answered with 413 and the form, which says why.
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.matches("form.upload") && event.detail.xhr.status === 413) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
})();
