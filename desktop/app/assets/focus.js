// Focus in dialogs, menus and tabs, as the WAI-ARIA Authoring Practices describe it. It is run by the app from outside of
// the page, reads no content, and changes nothing but which element has the focus.
(() => {
  const reachable = ['a[href]', 'button:not([disabled])', 'input:not([disabled])', 'select:not([disabled])', 'textarea:not([disabled])', '[tabindex]']
    .map((kind) => `${kind}:not([tabindex="-1"])`).join(',');
  const visible = (element) => element.getClientRects().length > 0;
  const stack = [];

  // What the app gives the focus to gets it as soon as it is drawn, and again where it is drawn anew, until the person
  // does something. What lies above the view is not robbed of it.
  let wanted = null;
  const give = () => {
    const element = wanted && document.getElementById(wanted.id);
    if (!element || element === wanted.element) return;
    const modals = document.querySelectorAll('[data-modal]');
    if (modals.length && !modals[modals.length - 1].contains(element)) return;
    wanted.element = element;
    element.focus();
  };
  window.focusOn = (id) => { wanted = { id, element: null }; requestAnimationFrame(give); };
  for (const kind of ['keydown', 'pointerdown']) document.addEventListener(kind, () => { wanted = null; }, true);

  // With the focus nowhere, keys are the whole app's.
  document.addEventListener('keydown', (event) => {
    if (event.target !== document.body) return;
    event.stopPropagation();
    const again = new KeyboardEvent('keydown', event);
    if (!document.getElementById('app')?.dispatchEvent(again)) event.preventDefault();
  });

  document.addEventListener('keydown', (event) => {
    const modals = document.querySelectorAll('[data-modal]');
    const modal = modals[modals.length - 1];
    // With Shift, GTK has another key, of which WebKit knows only the place.
    if (event.key === 'Tab' || event.code === 'Tab') {
      // There is nothing around the page to go to, so its ends meet, as a dialog's do.
      const stops = [...(modal ?? document).querySelectorAll(reachable)].filter(visible);
      if (stops.length === 0) { event.preventDefault(); return; }
      const at = stops.indexOf(document.activeElement);
      const leaves = event.shiftKey ? at === 0 || (modal && at === -1) : at === stops.length - 1 || (modal && at === -1);
      if (leaves) { event.preventDefault(); stops[event.shiftKey ? stops.length - 1 : 0].focus(); }
      return;
    }
    const menu = event.target.closest?.('[data-menu]');
    if (menu) {
      const items = [...menu.querySelectorAll('[role^=menuitem]:not([disabled])')];
      const at = items.indexOf(document.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? items.length - 1 : at - 1, Home: 0, End: items.length - 1 }[event.key];
      if (to !== undefined && items.length) { event.preventDefault(); items[(to + items.length) % items.length].focus(); }
      else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
        const letter = event.key.toLowerCase();
        const next = [...items.slice(at + 1), ...items.slice(0, at + 1)].find((item) => item.textContent.trim().toLowerCase().startsWith(letter));
        next?.focus();
      }
    }
  }, true);

  // What opens gets the focus; what closes gives it back to where it was.
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) {
        if (!(node instanceof Element)) continue;
        const opened = node.matches('[data-menu],[data-modal]') ? node : node.querySelector('[data-menu],[data-modal]');
        if (opened) {
          stack.push([opened, document.activeElement]);
          if (opened.matches('[data-menu]')) (opened.querySelector('[aria-checked=true],[role^=menuitem]:not([disabled])') ?? opened).focus();
        }
      }
    }
    while (stack.length && !stack[stack.length - 1][0].isConnected) {
      const [, before] = stack.pop();
      const lost = document.activeElement === document.body || document.activeElement === null;
      if (lost && before?.isConnected) before.focus();
    }
    give();
    // The selected tab has the focus if one of its row had it.
    const row = document.activeElement?.closest?.('[data-tabs]');
    const selected = row?.querySelector('[aria-selected=true]');
    if (selected && document.activeElement !== selected && document.activeElement?.getAttribute('role') === 'tab') selected.focus();
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ['aria-selected'] });
})();
