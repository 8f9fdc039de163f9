import { performance } from 'node:perf_hooks'; // the global of that name is a getter, six times as slow
import { EXHAUSTED_PAUSE_MS, eventfdRead, POLLIN, poll, tryAccept } from '@kata-mock/posix';
import type { DeviceServer } from '../server/device-server.ts';
import { SocketChannel } from '../transport/socket-channel.ts';
import type { ClientSockets } from './client-sockets.ts';

export interface ServeOptions {
  /** Listening socket; stays the caller's. */
  listenFd: number;
  /** eventfd that wakes this thread. */
  wakeFd: number;
  /** Not 0 while someone wants {@link ServeOptions.woken} to be called. */
  wakeFlag: Int32Array;
  /** Told of each client's sockets. */
  clientSockets: ClientSockets;
  /** Called between two messages after a wake-up. Returns true to stop serving. */
  woken(): boolean;
  onClientGone: 'exit' | 'relisten';
  connected?(): void;
  disconnected?(): void;
}

/**
 * Serves one client after the other, blocking this thread: it never returns to the event loop in between. Only the
 * device's timers, the client's messages and the wake-up descriptor make it act.
 */
export function serveClients(server: DeviceServer, options: ServeOptions): void {
  const { listenFd, wakeFd, wakeFlag } = options;
  let stopped = false;
  /** No client is accepted before, by performance.now(). */
  let pausedUntil = 0;
  const checkWake = () => {
    if (Atomics.load(wakeFlag, 0) === 0) return;
    Atomics.store(wakeFlag, 0, 0);
    eventfdRead(wakeFd);
    if (options.woken()) stopped = true;
  };
  server.wake = () => {
    if (Atomics.load(wakeFlag, 0) !== 0) {
      server.session?.flush();
      checkWake();
    }
    return stopped;
  };
  while (!stopped) {
    // While a crashed device stays away, clients find the socket but nobody who answers.
    const away = Math.max(server.awayMs?.() ?? 0, pausedUntil - performance.now());
    const timeout = Math.min(server.runTimers(), away > 0 ? away : Number.POSITIVE_INFINITY);
    const [ready] = poll(
      [
        { fd: listenFd, events: away > 0 ? 0 : POLLIN },
        { fd: wakeFd, events: POLLIN },
      ],
      timeout === Number.POSITIVE_INFINITY ? -1 : Math.ceil(timeout),
    );
    checkWake();
    if (stopped || !ready) continue;
    const client = tryAccept(listenFd);
    if (client === 'exhausted') {
      if (pausedUntil === 0) server.log('warn', 'a client waits until a descriptor is free');
      pausedUntil = performance.now() + EXHAUSTED_PAUSE_MS;
    }
    if (typeof client !== 'number') continue;
    pausedUntil = 0;
    serveOne(server, client, options, checkWake, () => stopped);
    if (options.onClientGone === 'exit') return;
  }
}

function serveOne(
  server: DeviceServer,
  fd: number,
  options: ServeOptions,
  checkWake: () => void,
  stopped: () => boolean,
): void {
  const channel = new SocketChannel(fd, options.wakeFd, {
    list: () => server.irqs.unmaskFds(),
    ready: (unmask) => server.irqs.resampled(unmask),
    opened: (socket) => options.clientSockets.add(socket),
    closing: (socket) => options.clientSockets.forget(socket),
  });
  const session = server.connect(channel);
  options.connected?.();
  try {
    while (!stopped()) {
      let timeoutMs = Number.POSITIVE_INFINITY;
      if (!server.timers.isEmpty) {
        timeoutMs = server.timers.next - performance.now();
        if (timeoutMs <= 0) {
          session.flush();
          timeoutMs = server.runTimers();
        }
      }
      if (!session.step(timeoutMs)) break;
      if (Atomics.load(options.wakeFlag, 0) !== 0) {
        session.flush();
        checkWake();
      }
    }
  } finally {
    server.disconnect();
    options.disconnected?.();
  }
}
