import net from "node:net"

/*
 * Loaded before the command (node --import): connections to one port of loopback go to another one,
 * KBO_REDIRECT=FROM:TO. A broker tells its clients its own address, so a proxy before it would be left out.
 */

const [from, to] = (process.env["KBO_REDIRECT"] ?? "").split(":").map(Number)
const { connect } = net.Socket.prototype
net.Socket.prototype.connect = function (...args) {
  const [options] = Array.isArray(args[0]) ? args[0] : args
  if (options?.port === from) options.port = to
  return connect.apply(this, args)
}
