// The secret of the link is the fragment of the address. It is taken out of the address at once, so that it stays
// in no history, and is sent to the service alone, in the body of one request.
'use strict';

const form = document.getElementById('claim');
const told = document.getElementById('told');
const claimToken = location.hash.slice(1);

if (claimToken) {
  history.replaceState(null, '', location.pathname);
  told.textContent = '';
  form.hidden = false;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const claim = { claim_token: claimToken, password: document.getElementById('password').value };
  const pin = document.getElementById('pin').value.trim();
  if (pin) claim.pin = pin;
  told.textContent = 'One moment …';
  try {
    const answer = await fetch('v1/claims/redeem', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(claim),
    });
    const body = await answer.json();
    if (!answer.ok) {
      const wrong = (body.errors ?? []).map((error) => `${error.pointer.slice(1)} ${error.detail}`);
      told.textContent = [body.user_message, ...wrong].join(' ');
      return;
    }
    form.hidden = true;
    told.textContent = 'This is your password now. You can close this page and sign in in the app.';
    // Nobody goes on with the session of this page.
    await fetch('v1/sessions/current', {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${body.access_token}` },
    });
  } catch {
    told.textContent = 'The service cannot be reached. Please try again in a moment.';
  }
});
