// Slack's window: shows what was posted, and sends what is pressed as Slack would.
import { blocks, make, values } from './blocks.js';

const $ = (id) => document.getElementById(id);
let member = '';
let drawn = {};

async function act(body) {
  await fetch('/simulator/slack/act', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ member, ...body }),
  });
  await look();
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
