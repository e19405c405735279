// The place in the conversation: the end stays in sight while it is, and otherwise what is being read stays where it is,
// whatever comes above or below it. Run by the app from outside of the page; it reads no content and changes only where
// the column stands. The column says by `data-end` and `data-show` where to go, so that it is known along with the edit
// that it belongs to.
(() => {
  if (window.conversation) { window.conversation(); return; }
  // Pixels from the end that still count as it, and from an edge at which more is asked for: a screen.
  const NEAR = 48, SOON = 900;
  let scroller = null, column = null;
  let follow = true, last = 0, anchor = null, wanted = null, end = null, show = null;
  let told = true, asked = '', telling = false;

  const distance = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  const below = (element) => element.getBoundingClientRect().top - scroller.getBoundingClientRect().top;

  // The first message in sight, and how far below the upper edge it begins.
  const note = () => {
    last = scroller.scrollTop;
    anchor = null;
    for (const element of column.querySelectorAll('[data-anchor]')) {
      if (below(element) + element.offsetHeight > 1) { anchor = { id: element.dataset.anchor, top: below(element) }; return; }
    }
  };

  // Tells the app, by buttons of its own that nobody sees, and only when something is new.
  const press = (id) => document.getElementById(id)?.click();
  const tell = () => {
    telling = false;
    if (!scroller.isConnected) return;
    const rest = distance(), atEnd = rest < NEAR;
    if (atEnd !== told) { told = atEnd; press(atEnd ? 'scroll-end' : 'scroll-away'); }
    const edge = scroller.scrollTop < SOON ? 'scroll-top' : rest < SOON ? 'scroll-bottom' : '';
    const now = edge && `${edge} ${column.childElementCount} ${column.scrollHeight}`;
    if (now !== asked) { asked = now; if (edge) press(edge); }
  };
  const soon = () => { if (!telling) { telling = true; requestAnimationFrame(tell); } };

  const place = () => {
    if (column.dataset.end !== end) { end = column.dataset.end; follow = true; wanted = null; }
    if (column.dataset.show !== show) { show = column.dataset.show; if (show) { wanted = show.split(' ')[0]; follow = false; } }
    const target = wanted && document.getElementById(`message-${wanted}`);
    if (target) {
      wanted = null; follow = false;
      target.scrollIntoView({ block: 'center' });
      target.focus({ preventScroll: true });
      return note();
    }
    // What the person moved since the last look is theirs; what else moved came from above.
    const own = scroller.scrollTop - last;
    if (follow && own < -1 && distance() >= NEAR) follow = false;
    if (follow) { scroller.scrollTop = scroller.scrollHeight; last = scroller.scrollTop; return; }
    const held = anchor && column.querySelector(`[data-anchor="${CSS.escape(anchor.id)}"]`);
    if (held) {
      const shift = below(held) - (anchor.top - own);
      if (Math.abs(shift) > 0.5) scroller.scrollTop += shift;
    }
    note();
  };
  const settle = () => { if (attach()) { place(); soon(); } };

  const moved = () => {
    if (distance() < NEAR) follow = true;
    else if (scroller.scrollTop < last - 1) follow = false;
    note();
    soon();
  };

  const resized = new ResizeObserver(settle);
  const changed = new MutationObserver(settle);
  const attach = () => {
    if (scroller?.isConnected) return true;
    const found = document.getElementById('messages');
    if (!found) return false;
    scroller = found;
    column = document.getElementById('message-column');
    last = scroller.scrollTop;
    resized.disconnect(); changed.disconnect();
    resized.observe(scroller); resized.observe(column);
    changed.observe(column, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ['data-end', 'data-show'] });
    scroller.addEventListener('scroll', moved, { passive: true });
    return true;
  };

  window.conversation = () => requestAnimationFrame(settle);
  // The column may be drawn after this is run, and anew.
  new MutationObserver(() => { if (!scroller?.isConnected) settle(); }).observe(document.documentElement, { childList: true, subtree: true });
  window.conversation();
})();
