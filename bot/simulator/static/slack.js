// Slack's window: draws Block Kit, and sends what is pressed as Slack would.
const $ = (id) => document.getElementById(id);
const publicUrl = document.querySelector('meta[name="public-url"]').content;
let member = '';
let drawn = {};

function make(tag, props = {}, ...children) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children.filter((child) => child !== null));
  return node;
}

async function act(body) {
  await fetch('/simulator/slack/act', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ member, ...body }),
  });
  await look();
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

function values(root) {
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

function blocks(list, press) {
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

function post(one, where, app, person) {
  const face = one.sender === 'bot' ? make('img', { src: '/simulator/avatar.svg', alt: '' }) : make('span', { className: 'face', textContent: person.slice(0, 1), ariaHidden: 'true' });
  const at = new Date(one.at).toLocaleTimeString('ja-JP', { hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Tokyo' });
  const who = make('div', {}, make('span', { className: 'who', textContent: one.sender === 'bot' ? app : person }), make('time', { textContent: at }));
  const body = make('div');
  const press = (action) => act({ do: 'press', where, ts: one.ts, action, values: values(body) });
  body.append(who, one.blocks.length ? blocks(one.blocks, press) : make('p', { textContent: one.text }));
  const node = make('article', { className: 'post' }, face, body);
  node.dataset.key = `${one.ts}/${one.seq}`;
  return node;
}

// only what is new or changed is drawn again: a form half filled in stays
function fill(log, posts, where, person) {
  const app = document.querySelector('.brand').childNodes[1].textContent.trim();
  const have = new Map([...log.querySelectorAll('.post')].map((node) => [node.dataset.key, node]));
  const wanted = posts.map((one) => have.get(`${one.ts}/${one.seq}`) || post(one, where, app, person));
  const same = wanted.length === log.children.length && wanted.every((node, index) => log.children[index] === node);
  if (same) return;
  log.replaceChildren(...wanted);
  const last = log.lastElementChild;
  if (last) log.scrollTop = last.offsetTop - log.offsetTop - 8;
}

function modal(view) {
  const dialog = $('modal');
  if (JSON.stringify(view) === JSON.stringify(drawn.modal)) return;
  drawn.modal = view;
  if (!view) { dialog.close(); return; }
  const form = make('form', { method: 'dialog' }, make('h1', { id: 'modal-title', textContent: view.title.text }), blocks(view.blocks, () => {}),
    make('button', { type: 'submit', className: 'primary', textContent: view.submit ? view.submit.text : 'OK' }));
  form.onsubmit = (event) => { event.preventDefault(); dialog.close(); act({ do: 'submit', values: values(form) }); };
  dialog.replaceChildren(form);
  dialog.showModal();
}

async function look() {
  const view = await (await fetch(`/simulator/slack/view?member=${member}`)).json();
  member = view.member;
  const names = JSON.stringify(view.members);
  if (names !== drawn.names) {
    drawn.names = names;
    $('member').replaceChildren(...view.members.map((one) => make('option', { value: one.id, textContent: one.name, selected: one.id === member })));
  }
  const person = view.members.find((one) => one.id === member)?.name || '';
  fill($('log'), view.posts, 'dm', person);
  fill($('staff-log'), view.staff, 'staff', '受付');
  const home = JSON.stringify(view.home);
  if (home !== drawn.home) {
    drawn.home = home;
    $('home').replaceChildren(view.home ? blocks(view.home.blocks, (action) => act({ do: 'press', where: 'home', action, values: {} }).then(() => tab('messages'))) : make('p', { className: 'empty', textContent: '…' }));
  }
  modal(view.modal || null);
  $('violations').hidden = !view.violations.length;
  $('violations').textContent = view.violations.join(' / ');
}

function tab(name) {
  document.querySelectorAll('[data-tab]').forEach((button) => button.setAttribute('aria-pressed', String(button.dataset.tab === name)));
  $('log').hidden = name !== 'messages';
  $('home').hidden = name !== 'home';
  $('composer').hidden = name !== 'messages';
  if (name === 'home') act({ do: 'home' });
}

function composer(form, input, staff) {
  $(form).onsubmit = (event) => {
    event.preventDefault();
    const value = $(input).value.trim();
    $(input).value = '';
    if (value) act({ do: 'say', value, staff });
  };
}

composer('composer', 'text', false);
composer('staff-composer', 'staff-text', true);
$('member').onchange = () => { member = $('member').value; drawn = {}; look(); };
document.querySelectorAll('[data-tab]').forEach((button) => { button.onclick = () => tab(button.dataset.tab); });
document.querySelectorAll('[data-pane-to]').forEach((button) => { button.onclick = () => { document.body.dataset.pane = button.dataset.paneTo; }; });
look();
setInterval(() => { if (!document.hidden) look(); }, 700);
