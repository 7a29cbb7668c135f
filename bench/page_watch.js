// Notes when what is measured is on the screen. It runs before the page's own script, in each page.
{
  const now = () => performance.timeOrigin + performance.now();
  addEventListener("click", ({ target }) => {
    if (target.closest?.(".verify button")) sessionStorage.setItem("pressed", String(now()));
  }, true);

  const verdict = () => {
    if (sessionStorage.getItem("verdict") || !sessionStorage.getItem("pressed")) return;
    const state = document.querySelector(".server-check .state:is(.good, .bad, .warn)");
    if (!state) return;
    requestAnimationFrame(() => {
      if (sessionStorage.getItem("verdict")) return;
      const seconds = (now() - Number(sessionStorage.getItem("pressed"))) / 1000;
      const server = Number(state.closest(".server-check").id.split("-")[1]);
      sessionStorage.setItem("verdict", JSON.stringify({ seconds, server }));
    });
  };

  window.shownCounts = [];
  let shown = -1;
  const counts = () => {
    const bar = document.querySelector(".progress progress");
    if (!bar || bar.value === shown) return;
    const value = (shown = bar.value);
    requestAnimationFrame(() => window.shownCounts.push([value, now() / 1000]));
  };

  new MutationObserver(() => {
    verdict();
    counts();
  }).observe(document, { subtree: true, childList: true, attributes: true });
}
