import { existsSync, readFileSync } from 'node:fs';
import { KataMockError } from '../errors.ts';
import { type Config, configFile, defaultConfig } from './config.ts';

/** Reads the settings. A missing file means the defaults, unless the environment names it. */
export async function loadConfig(env: NodeJS.ProcessEnv = process.env): Promise<Config> {
  const file = configFile(env);
  let config = defaultConfig(file);
  if (existsSync(file)) {
    // Only here: without a file the parser need not be loaded.
    const { parseConfig } = await import('./parse-config.ts');
    config = parseConfig(readText(file), file);
  } else if (env['KATA_MOCK_CONFIG']) {
    throw new KataMockError('BAD_INPUT', `there is no ${file}, which KATA_MOCK_CONFIG names`);
  }
  const loss = env['KATA_MOCK_ON_DEVICE_LOSS'];
  if (loss !== undefined && loss !== 'stop' && loss !== 'keep') {
    throw new KataMockError('USAGE', `KATA_MOCK_ON_DEVICE_LOSS is "${loss}"`, { hint: 'set it to stop or keep' });
  }
  return {
    ...config,
    qemu: env['KATA_MOCK_QEMU'] || config.qemu,
    rootImage: env['KATA_MOCK_ROOT_IMAGE'] || config.rootImage,
    onDeviceLoss: loss ?? config.onDeviceLoss,
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new KataMockError('BAD_INPUT', `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}
