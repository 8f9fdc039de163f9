/** Options of `kata-mock run` as commander gives them. */
export interface RunOptions {
  device: string[];
  bundle?: string;
  rootfs?: string;
  sandbox?: string;
  env: string[];
  annotation: string[];
  memory: string;
  cpus: number;
  accel: 'auto' | 'kvm' | 'tcg';
  interactive: boolean;
  tty: boolean;
  name?: string;
  /** Seconds; 0 waits for ever. */
  stopTimeout: number;
  timings: boolean;
  timingsSvg?: string;
  rootfsMode: 'overlay' | 'bind';
  onDeviceLoss: 'stop' | 'keep';
  output: 'text' | 'json';
  dryRun: boolean;
  verbose: boolean;
}
