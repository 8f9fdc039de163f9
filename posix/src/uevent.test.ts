import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { needsRoot } from './testing.ts';
import { parseUevent, type Uevent, UeventMonitor } from './uevent.ts';

const encode = (...strings: string[]) => Buffer.from(strings.map((text) => `${text}\0`).join(''));

describe('parseUevent', () => {
  it('reads the kernel’s message', () => {
    const bytes = encode('add@/devices/x/mock0', 'ACTION=add', 'DEVPATH=/devices/x/mock0', 'EMPTY=', 'A=b=c');
    const uevent = parseUevent(bytes);
    expect(uevent?.action).toBe('add');
    expect(uevent?.devpath).toBe('/devices/x/mock0');
    expect({ ...uevent?.env }).toEqual({ ACTION: 'add', DEVPATH: '/devices/x/mock0', EMPTY: '', A: 'b=c' });
  });

  it('ignores what is not the kernel’s', () => {
    for (const text of ['', 'libudev\0\xfe\xed', 'add', 'add@', 'add@relative', 'ADD@/x', '@/x']) {
      expect(parseUevent(Buffer.from(text))).toBeUndefined();
    }
  });

  it('takes any bytes without throwing or touching a prototype', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseUevent(bytes)));
    const uevent = parseUevent(encode('add@/x', '__proto__=y'));
    expect(Object.entries(uevent!.env)).toEqual([['__proto__', 'y']]);
  });
});

describe('UeventMonitor', () => {
  it('hears an event that the kernel sends on request', async (context) => {
    needsRoot(context, 'asking the kernel for a uevent');
    const monitor = new UeventMonitor();
    try {
      const heard = new Promise<Uevent>((resolve) => {
        monitor.on('uevent', (uevent) => uevent.devpath === '/devices/virtual/mem/null' && resolve(uevent));
      });
      writeFileSync('/sys/devices/virtual/mem/null/uevent', 'change');
      const { action, env } = await heard;
      expect([action, env['SUBSYSTEM'], env['DEVNAME']]).toEqual(['change', 'mem', 'null']);
    } finally {
      monitor.close();
    }
  });
});
