import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { create } from '@bufbuild/protobuf';
import { GuestDetailsRequestSchema, MemHotplugByProbeRequestSchema } from '@kata-mock/contracts';
import type { HandlerContext } from 'ttrpc-ts';
import { afterEach, describe, expect, test } from 'vitest';
import { type FakeAgent, fakeAgent } from '../../testing/fake-agent.ts';
import { getGuestDetails } from './get-guest-details.ts';
import { memHotplugByProbe } from './machine.ts';

let fake: FakeAgent;
afterEach(() => fake.remove());

const context = {} as HandlerContext;
const probe = () =>
  memHotplugByProbe(fake.agent)(
    create(MemHotplugByProbeRequestSchema, { memHotplugProbeAddr: [0x1_0000_0000n] }),
    context,
  );
const details = () =>
  getGuestDetails(fake.agent)(
    create(GuestDetailsRequestSchema, { memBlockSize: true, memHotplugProbe: true }),
    context,
  );

describe('memory that the kernel is told of', () => {
  test('is written to its file where there is one, and shims are told so', async () => {
    fake = fakeAgent();
    const memory = `${fake.guest.sysfs}/devices/system/memory`;
    mkdirSync(memory, { recursive: true });
    writeFileSync(`${memory}/probe`, '');
    writeFileSync(`${memory}/block_size_bytes`, '8000000\n');
    expect(await details()).toMatchObject({ memBlockSizeBytes: 0x8000000n, supportMemHotplugProbe: true });
    await probe();
    expect(readFileSync(`${memory}/probe`, 'utf8')).toBe('0x100000000');
  });

  test('is UNIMPLEMENTED by name of the file where there is none', async () => {
    fake = fakeAgent();
    expect(await details()).toMatchObject({ memBlockSizeBytes: 0n, supportMemHotplugProbe: false });
    expect(probe).toThrow(
      expect.objectContaining({ code: 'UNIMPLEMENTED', message: expect.stringContaining('memory/probe') }),
    );
  });
});
