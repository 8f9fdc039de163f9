import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type Finished, Running, type StartOptions } from './command.ts';
import { leftovers } from './leftovers.ts';
import { keepLogs } from './logs.ts';
import { build, program } from './paths.ts';

let count = 0;
const PROBE = path.join(build, 'kvm-probe.json');

/**
 * `kata-mock` as a user drives it, with a run directory and a configuration of its own: what a test starts is found
 * again by that directory, and other sandboxes on the machine are none of its business.
 */
export class TestHost {
  readonly runDir = `/run/km-test-${process.pid}-${count++}`;
  readonly env: NodeJS.ProcessEnv = {
    ...process.env,
    KATA_MOCK_RUN_DIR: this.runDir,
    KATA_MOCK_CONFIG: path.join(this.runDir, 'config.toml'),
  };
  readonly #started = new Set<Running>();

  constructor() {
    if (process.getuid?.() !== 0) throw new Error('tests that boot VMs need root: sudo make vm');
    mkdirSync(this.runDir, { mode: 0o700 });
    writeFileSync(path.join(this.runDir, 'config.toml'), '');
    // Whether KVM works is asked once for all hosts: finding that it does not takes 10 s.
    if (existsSync(PROBE)) copyFileSync(PROBE, path.join(this.runDir, 'kvm-probe.json'));
  }

  /** Starts `kata-mock ARGS`. */
  start(args: string[], options: StartOptions = {}): Running {
    const running = new Running(program('kata-mock'), args, { ...options, env: { ...this.env, ...options.env } });
    this.#started.add(running);
    void running.ended.finally(() => this.#started.delete(running));
    return running;
  }

  /** Runs `kata-mock ARGS` to its end. */
  run(args: string[], options: StartOptions = {}): Promise<Finished> {
    return this.start(args, options).ended;
  }

  /** Like {@link run}; a failure shows all output. Answers stdout. */
  async ok(args: string[], options: StartOptions = {}): Promise<string> {
    const finished = await this.run(args, options);
    if (finished.status !== 0) throw new Error(`kata-mock ${args.join(' ')}: ${describe(finished)}`);
    return finished.stdout;
  }

  /** Like {@link ok}, with `--output json`. */
  async json<T>(args: string[], options: StartOptions = {}): Promise<T> {
    return JSON.parse(await this.ok([...args, '--output', 'json'], options)) as T;
  }

  /** A sandbox whose first container idles until {@link SandboxUnderTest.stop}. */
  async sandbox(name: string, args: string[] = []): Promise<SandboxUnderTest> {
    const running = this.start(['run', '--name', name, ...args, '--', 'sh', '-c', `echo up; ${IDLE}`]);
    await running.until('"up" from the container', () => running.stdout.includes('up\n'));
    return new SandboxUnderTest(this, name, running);
  }

  /** Ends what runs, prunes, and says what is left all the same. */
  async close(): Promise<string[]> {
    for (const running of this.#started) running.kill('SIGTERM');
    await Promise.all([...this.#started].map(({ ended }) => ended));
    if (existsSync(this.runDir)) await this.run(['prune']);
    const probe = path.join(this.runDir, 'kvm-probe.json');
    if (existsSync(probe)) copyFileSync(probe, PROBE);
    const left = leftovers(this.runDir);
    rmSync(path.join(this.runDir, 'config.toml'), { force: true });
    return left;
  }
}

/** Ends at SIGTERM, which the first process of a pid namespace otherwise ignores. */
const IDLE = 'trap "exit 0" TERM INT; while :; do sleep 1 & wait; done';

export class SandboxUnderTest {
  readonly host: TestHost;
  readonly name: string;
  readonly running: Running;

  constructor(host: TestHost, name: string, running: Running) {
    this.host = host;
    this.name = name;
    this.running = running;
  }

  /** A command in the first container, by a shell. */
  sh(script: string): Promise<Finished> {
    return this.host.run(['exec', this.name, '--', 'sh', '-c', script]);
  }

  /** One more container in the sandbox, with a shell script as its command. */
  container(script: string, args: string[] = []): Promise<Finished> {
    return this.host.run(['run', '--sandbox', this.name, ...args, '--', 'sh', '-c', script]);
  }

  async stop(): Promise<Finished> {
    this.running.kill('SIGTERM');
    return this.running.ended;
  }
}

/** A host for the tests of a file: logs are kept when one fails, and at the end nothing may be left. */
export function testHost(): { readonly host: TestHost } {
  let host: TestHost | undefined;
  const current = {
    get host(): TestHost {
      if (!host) throw new Error('the host exists only while tests run');
      return host;
    },
  };
  beforeAll(() => {
    host = new TestHost();
  });
  afterEach((context) => {
    if (context.task.result?.state === 'fail') keepLogs(current.host.runDir, context.task.name);
  });
  afterAll(async () => {
    if (!host) return;
    const directory = host.runDir;
    const left = await host.close();
    if (left.length > 0) keepLogs(directory, 'left-behind');
    expect(left, 'what ended sandboxes and a prune leave').toEqual([]);
    rmSync(directory, { recursive: true, force: true });
  });
  return current;
}

export function describe({ status, signal, stdout, stderr }: Finished): string {
  return `ended with ${signal ?? status}\n--- stdout\n${stdout}\n--- stderr\n${stderr}`;
}

/** Expects success and answers stdout; on failure everything is shown. */
export function output(finished: Finished): string {
  if (finished.status !== 0) throw new Error(describe(finished));
  return finished.stdout;
}
