import { closeSync, lstatSync, unlinkSync } from 'node:fs';
import { unixListen } from '@kata-mock/posix';

/** A unix socket that listens, and its file, which only this user may use. */
export class ListeningSocket {
  readonly path: string;
  readonly fd: number;
  readonly #file: { dev: bigint; ino: bigint } | undefined;

  constructor(path: string) {
    this.path = path;
    this.fd = unixListen(path, { mode: 0o600 });
    this.#file = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  }

  close(): void {
    this.removeFile();
    closeSync(this.fd);
  }

  /** Before the descriptor is closed: as long as it is open no other file gets this one's number. */
  removeFile(): void {
    try {
      const now = lstatSync(this.path, { bigint: true });
      // Someone may have removed the file and listen there in our place.
      if (now.dev === this.#file?.dev && now.ino === this.#file.ino) unlinkSync(this.path);
    } catch {
      // Removed together with its directory, or by hand.
    }
  }
}
