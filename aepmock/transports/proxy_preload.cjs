// Leads what Node connects to over TLS to aepmock's proxy, which reads the host from the greeting.
// For every version: Node's own NODE_USE_ENV_PROXY breaks axios. No package is needed.
'use strict'

const tls = require('node:tls')
const net = require('node:net')

const proxy = new URL(process.env.HTTPS_PROXY)
const connect = tls.connect
const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/i

tls.connect = function (...args) {
  const callback = typeof args.at(-1) === 'function' ? [args.pop()] : []
  const options = Object.assign({}, ...args.filter((a) => typeof a === 'object'))
  if (typeof args[0] === 'number') options.port = args[0]
  if (typeof args[1] === 'string') options.host = args[1]
  const host = options.host ?? 'localhost'
  // A socket is a tunnel that someone has dug already, such as a newer Node.
  if (options.socket || options.path || typeof args[0] === 'string' || loopback.test(host)) {
    return connect.call(this, ...args, ...callback)
  }
  const servername = options.servername || (net.isIP(host) ? '' : host)
  const to = { host: proxy.hostname, port: Number(proxy.port) }
  return connect.call(this, { ...options, ...to, servername }, ...callback)
}

require('node:module').syncBuiltinESMExports()
