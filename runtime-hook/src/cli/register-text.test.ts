import { expect, it } from 'vitest';
import { registerText } from './register-text.ts';

it('shows numbers as they are, a buffer as its text', () => {
  expect(registerText('0x00000001')).toBe('0x00000001');
  expect(registerText('4d4f434b2d4e554d41302d3030303100')).toBe('4d4f434b2d4e554d41302d3030303100');
  expect(registerText('00'.repeat(256))).toBe('256 bytes');
  expect(registerText(Buffer.from('two words').toString('hex').padEnd(512, '0'))).toBe('"two words"');
});
