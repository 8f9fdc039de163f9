import { expect, it } from 'vitest';
import { provideRootImage, type RootImageInput } from './root-image.ts';
import { Store } from './store.ts';

it('asks for the build when the agent is not bundled', async () => {
  const input = { agent: '/nonexistent/agent' } as RootImageInput;
  await expect(provideRootImage(new Store('/nonexistent'), input)).rejects.toMatchObject({
    code: 'MISSING_BUNDLE',
    message: expect.stringContaining('npm run build'),
  });
});
