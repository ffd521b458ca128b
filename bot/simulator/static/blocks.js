// Block Kit, a faithful subset of what Slack shows (docs.slack.dev, "Block Kit").

const publicUrl = document.querySelector('meta[name="public-url"]').content;

export function make(tag, props = {}, ...children) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children.filter((child) => child !== null));
  return node;
}

// mrkdwn: links, mentions, emphasis by line
function rich(text) {
  const out = [];
  const plain = (part) => part.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
  const words = (part) => part.split(/^(\*.*\*)$/m).filter(Boolean).forEach((piece) => {
    out.push(/^\*[^\n]*\*$/.test(piece) ? make('strong', { textContent: plain(piece.slice(1, -1)) }) : plain(piece));
  });
  text.split(/(<[^>]*>)/).filter(Boolean).forEach((piece) => {
    if (!piece.startsWith('<')) words(piece);
    else if (piece.startsWith('<!')) out.push(make('span', { className: 'mention', textContent: `@${piece.slice(2, -1)}` }));
    else {
      const [href, label] = piece.slice(1, -1).split('|');
      out.push(make('a', { href, textContent: plain(label || href) }));
    }
  });
  return out;
}

const local = (url) => (url.startsWith(publicUrl) ? url.slice(publicUrl.length) : url);

function element(one, press) {
  if (one.type === 'button' && one.url) return make('a', { href: local(one.url), target: '_blank', rel: 'noopener', textContent: one.text.text });
  if (one.type === 'button') {
    return make('button', { type: 'button', className: one.style || '', textContent: one.text.text, onclick: (event) => press(one, event.target) });
  }
  const kind = one.type === 'datepicker' ? 'date' : 'time';
  const picked = make('input', { type: kind, ariaLabel: one.placeholder.text });
  picked.onchange = () => { if (picked.value) press({ ...one, [`selected_${kind}`]: picked.value }, picked); };
  return make('label', { className: 'actions' }, one.placeholder.text, picked);
}

function field(block) {
  const box = make('fieldset', {}, make('legend', { textContent: block.label.text }));
  box.dataset.block = block.block_id;
  const inner = block.element;
  if (inner.type === 'plain_text_input') {
    box.dataset.action = inner.action_id;
    box.append(make('textarea', { ariaLabel: block.label.text }));
    return box;
  }
  if (inner.type === 'static_select') {
    const select = make('select', { ariaLabel: block.label.text }, make('option', { value: '', textContent: '-' }),
      ...inner.options.map((option) => make('option', { value: JSON.stringify(option), textContent: option.text.text })));
    select.dataset.action = inner.action_id;
    box.append(select);
    return box;
  }
  inner.options.forEach((option) => {
    const radio = make('input', { type: 'radio', name: `${block.block_id}` });
    radio.dataset.option = JSON.stringify(option);
    radio.dataset.action = inner.action_id;
    box.append(make('label', {}, radio, option.text.text));
  });
  return box;
}

export function values(root) {
  const found = {};
  root.querySelectorAll('fieldset').forEach((box) => {
    const chosen = box.querySelector('input:checked');
    const text = box.querySelector('textarea');
    const select = box.querySelector('select');
    if (select?.value) found[box.dataset.block] = { [select.dataset.action]: { type: 'static_select', selected_option: JSON.parse(select.value) } };
    if (chosen) found[box.dataset.block] = { [chosen.dataset.action]: { type: 'radio_buttons', selected_option: JSON.parse(chosen.dataset.option) } };
    if (text) found[box.dataset.block] = { [box.dataset.action]: { type: 'plain_text_input', value: text.value } };
  });
  return found;
}

export function blocks(list, press) {
  return make('div', { className: 'blocks' }, ...list.map((block) => {
    switch (block.type) {
      case 'header': return make('h2', { textContent: block.text.text });
      case 'section': return make('p', {}, ...rich(block.text.text));
      case 'context': return make('p', { className: 'context' }, ...block.elements.flatMap((one) => rich(one.text)));
      case 'image': return make('img', { className: 'picture', src: local(block.image_url), alt: block.alt_text });
      case 'actions': return make('div', { className: 'actions' }, ...block.elements.map((one) => element(one, press)));
      case 'input': return field(block);
      default: return make('hr');
    }
  }));
}
