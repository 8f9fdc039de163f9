import { duplexPair } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Qmp } from './qmp.ts';
import { guestAddresses } from './query-pci.ts';

function fakeQemu() {
  const [ours, theirs] = duplexPair();
  theirs.setEncoding('utf8');
  const requests: { execute: string; id: number; arguments?: unknown }[] = [];
  const send = (message: unknown) => theirs.write(`${JSON.stringify(message)}\r\n`);
  let answer: (request: { execute: string; id: number }) => unknown = (request) => send({ return: {}, id: request.id });
  theirs.on('data', (text: string) => {
    for (const line of text.split('\n').filter(Boolean)) {
      const request = JSON.parse(line);
      requests.push(request);
      answer(request);
    }
  });
  return { ours, theirs, requests, send, onRequest: (next: typeof answer) => (answer = next) };
}

describe('Qmp', () => {
  it('negotiates after the greeting, also when that comes in pieces', async () => {
    const qemu = fakeQemu();
    qemu.theirs.write('{"QMP": {"version"');
    qemu.theirs.write(': {}}}\r\n');
    await Qmp.open(qemu.ours);
    expect(qemu.requests.map((request) => request.execute)).toEqual(['qmp_capabilities']);
  });

  it('matches answers by id and passes events on', async () => {
    const qemu = fakeQemu();
    qemu.send({ QMP: {} });
    const qmp = await Qmp.open(qemu.ours);
    const events: string[] = [];
    qmp.on('event', ({ event }) => events.push(event));
    const held: { execute: string; id: number }[] = [];
    qemu.onRequest((request) => {
      held.push(request);
      if (held.length < 2) return;
      qemu.send({ event: 'STOP' });
      for (const each of held.reverse()) qemu.send({ return: each.execute, id: each.id });
    });
    expect(await Promise.all([qmp.execute('first'), qmp.execute('second', { a: 1 })])).toEqual(['first', 'second']);
    expect(events).toEqual(['STOP']);
  });

  it("quotes QEMU's reason for a refusal", async () => {
    const qemu = fakeQemu();
    qemu.send({ QMP: {} });
    const qmp = await Qmp.open(qemu.ours);
    qemu.onRequest((request) => qemu.send({ error: { class: 'GenericError', desc: 'no such bus' }, id: request.id }));
    await expect(qmp.execute('device_add')).rejects.toThrow('QEMU refuses device_add: no such bus');
  });

  it('fails what is pending when QEMU goes, and what comes later', async () => {
    const qemu = fakeQemu();
    qemu.send({ QMP: {} });
    const qmp = await Qmp.open(qemu.ours);
    qemu.onRequest(() => qemu.theirs.end());
    await expect(qmp.execute('quit')).rejects.toThrow('QEMU has ended');
    await expect(qmp.execute('query-pci')).rejects.toThrow('QEMU has ended');
  });

  it('fails to open when QEMU ends before the greeting or sends what is not JSON', async () => {
    const ended = fakeQemu();
    ended.theirs.end();
    await expect(Qmp.open(ended.ours)).rejects.toThrow('before it greeted');
    const noise = fakeQemu();
    noise.theirs.write('hello\n');
    await expect(Qmp.open(noise.ours)).rejects.toThrow('before it greeted');
  });
});

describe('guestAddresses', () => {
  it('finds devices behind bridges by their id', () => {
    const answer = [
      {
        bus: 0,
        devices: [
          {
            bus: 0,
            slot: 17,
            function: 0,
            qdev_id: 'rp',
            pci_bridge: { devices: [{ bus: 2, slot: 0, function: 0, qdev_id: 'd0' }] },
          },
        ],
      },
      { bus: 160, devices: [{ bus: 161, slot: 0, function: 0, qdev_id: 'd1' }] },
    ];
    expect([...guestAddresses(answer)]).toEqual([
      ['rp', '0000:00:11.0'],
      ['d0', '0000:02:00.0'],
      ['d1', '0000:a1:00.0'],
    ]);
  });

  it('answers nothing for an answer of another shape', () => {
    expect(guestAddresses({})).toEqual(new Map());
    expect(guestAddresses([{ devices: [null, 3] }])).toEqual(new Map());
  });
});
