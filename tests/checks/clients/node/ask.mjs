// Asks mail servers with imapflow and nodemailer as they come, many of them at once, in one process.
//
// One question a line on stdin, as JSON: protocol ("imap" or "smtp"), port, tls (else STARTTLS), user and secret (empty:
// no login), token (the secret is an access token), address. One answer a line on stdout: the question's number, whether it works, and what the library said.
// The first argument is a file with the authority that is trusted, the second how many milliseconds an answer may take.
import { readFileSync } from 'node:fs'
import { webcrypto } from 'node:crypto'
import { text } from 'node:stream/consumers'

import { ImapFlow } from 'imapflow'
import nodemailer from 'nodemailer'

globalThis.crypto ??= webcrypto // Node 18, which Debian 12 has, lacks it; the libraries are made for 20 and later
const HOST = '127.0.0.1'
const ca = readFileSync(process.argv[2])
const patience = Number(process.argv[3])

async function opensInbox({ port, tls, user, secret, token }) {
  const client = new ImapFlow({
    host: HOST, port, secure: tls, doSTARTTLS: tls ? undefined : true, tls: { ca },
    auth: token ? { user, accessToken: secret } : { user, pass: secret },
    logger: false, greetingTimeout: patience, socketTimeout: patience
  })
  client.on('error', () => {}) // what matters of it comes to whoever waits
  try {
    await client.connect()
    await client.mailboxOpen('INBOX', { readOnly: true })
    await client.logout()
  } finally {
    client.close()
  }
}

// A message is offered; that its recipient is refused is no matter of the login or the sender.
async function sends({ port, tls, user, secret, address, token }) {
  const login = token ? { type: 'OAuth2', user, accessToken: secret } : { user, pass: secret }
  const transport = nodemailer.createTransport({
    host: HOST, port, secure: tls, requireTLS: !tls, auth: user ? login : undefined, tls: { ca },
    greetingTimeout: patience, connectionTimeout: patience, socketTimeout: patience
  })
  const envelope = { from: address, to: 'nobody@nowhere.example' }
  try {
    await transport.sendMail({ envelope, raw: 'Subject: test\r\n\r\n' })
  } catch (error) {
    if (error.command !== 'RCPT TO') throw error
  } finally {
    transport.close()
  }
}

async function answer(question, number) {
  let said = ''
  try {
    await (question.protocol === 'imap' ? opensInbox : sends)(question)
  } catch (error) {
    said = [error.command, error.message, error.response].filter(Boolean).join(': ')
  }
  process.stdout.write(JSON.stringify({ number, works: !said, said }) + '\n')
}

const questions = (await text(process.stdin)).split('\n').filter(Boolean).map(line => JSON.parse(line))
await Promise.all(questions.map(answer))
process.exit(0)
