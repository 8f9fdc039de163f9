import { getrlimit, setrlimit } from '@kata-mock/posix';
import { expect, test } from 'vitest';
import { descriptorShare } from './descriptor-share.ts';

test('functions share what the process may have, or what it will have', () => {
  const { soft, hard } = getrlimit('nofile');
  try {
    setrlimit('nofile', 4096, hard);
    // 64 are the process's own, 24 each function's.
    expect(descriptorShare(8)).toEqual({ each: (4096 - 64) / 8 - 24, processLimit: 4096 });
    expect(descriptorShare(8, 1024)).toEqual({ each: (1024 - 64) / 8 - 24, processLimit: 1024 });
    expect(descriptorShare(8, 1 << 20).processLimit).toBe(4096);
    expect(descriptorShare(1000).each).toBe(0);
  } finally {
    setrlimit('nofile', soft, hard);
  }
});
