// Draws <canvas data-chart="id of a json_script"> as stacked bars by day, in the colours of the states.
// The table of the same figures stands beside it, so nothing is lost where this does not run.
(() => {
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const drawn = new Map();

  // The legend beside the chart has each state's words and colour, in the theme that is on.
  const legend = (canvas, state) => canvas.closest("figure").querySelector(`[data-series="${state}"]`);

  function draw(canvas) {
    const { days, series } = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
    const style = getComputedStyle(canvas);
    const figures = new Intl.NumberFormat("en-GB");
    drawn.get(canvas)?.destroy();
    drawn.set(canvas, new Chart(canvas, {
      type: "bar",
      data: {
        labels: days,
        datasets: series.map(({ state, values }) => ({
          label: legend(canvas, state).dataset.words,
          data: values,
          backgroundColor: getComputedStyle(legend(canvas, state).querySelector(".chart-state")).backgroundColor,
          borderRadius: 2,
          maxBarThickness: 22,
        })),
      },
      options: {
        animation: calm.matches ? false : { duration: 160 },
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        plugins: {
          legend: { display: false },
          tooltip: {
            filter: (item) => item.raw > 0,
            callbacks: { label: (item) => ` ${figures.format(item.raw)} ${item.dataset.label}` },
          },
        },
        scales: {
          x: {
            stacked: true,
            border: { display: false },
            grid: { display: false },
            ticks: { color: style.color, maxRotation: 0, autoSkipPadding: 24, font: { family: style.fontFamily } },
          },
          y: {
            stacked: true,
            border: { display: false },
            grid: { display: false },
            ticks: {
              color: style.color,
              maxTicksLimit: 4,
              precision: 0,
              font: { family: style.fontFamily },
              callback: (value) => figures.format(value),
            },
          },
        },
      },
    }));
  }

  function drawAll() {
    for (const canvas of drawn.keys()) if (!canvas.isConnected) drawn.delete(canvas);
    document.querySelectorAll("canvas[data-chart]").forEach(draw);
  }

  drawAll();
  new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
})();
