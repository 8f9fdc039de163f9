import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  lchownSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import type { CopyFileRequest } from '@kata-mock/contracts';
import { AgentError } from '../../errors.ts';
import { checkBelow, openDirectoryBelow } from '../../storage/safe-path.ts';
import type { Method } from '../method.ts';

const TYPE = 0o170000;
const DIRECTORY = 0o040000;
const LINK = 0o120000;
const REGULAR = 0o100000;

/**
 * Writes a file of the host's, in one or more pieces, for sandboxes without a shared file system. The file appears
 * under its name when its last byte is there. Type 0 counts as a regular file.
 */
export const copyFile: Method<'copyFile'> = (agent) => (request) => {
  checkBelow(agent.paths.base, request.path, 'path of the file');
  const parent = openDirectoryBelow(agent.paths.base, path.dirname(request.path), request.dirMode & 0o7777 || 0o755);
  try {
    const place = `/proc/self/fd/${parent}/${path.basename(request.path)}`;
    const type = request.fileMode & TYPE;
    if (type === DIRECTORY) makeDirectory(agent.paths.base, request);
    else if (type === LINK) makeLink(place, request);
    else if (type === REGULAR || type === 0) writePiece(place, request);
    else
      throw new AgentError(
        'INVALID_ARGUMENT',
        `cannot copy "${request.path}": file type ${type.toString(8)} is none of file, directory and link`,
      );
  } finally {
    closeSync(parent);
  }
  return {};
};

function makeDirectory(base: string, { path: directory, fileMode, uid, gid }: CopyFileRequest): void {
  const fd = openDirectoryBelow(base, directory);
  try {
    // Leads to the directory itself, which a link cannot have replaced.
    const place = `/proc/self/fd/${fd}`;
    chownSync(place, uid, gid);
    chmodSync(place, fileMode & 0o7777);
  } finally {
    closeSync(fd);
  }
}

function makeLink(place: string, request: CopyFileRequest): void {
  rmSync(place, { force: true });
  symlinkSync(Buffer.from(request.data).toString('utf8'), place);
  lchownSync(place, request.uid, request.gid);
}

function writePiece(place: string, request: CopyFileRequest): void {
  const { offset, fileSize, data } = request;
  const end = offset + BigInt(data.length);
  if (offset < 0n || end > fileSize) {
    throw new AgentError(
      'INVALID_ARGUMENT',
      `piece ${offset}..${end} of "${request.path}" is outside its ${fileSize} bytes`,
    );
  }
  const partial = `${place}.kata-part`;
  // A pipe in its place must not make the agent wait for a reader.
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const fd = openSync(partial, flags, 0o600);
  try {
    if (offset === 0n) ftruncateSync(fd, 0);
    const { size: present } = fstatSync(fd);
    if (offset > BigInt(present)) {
      const message = `piece ${offset}..${end} of "${request.path}" leaves a hole: ${present} bytes came before it`;
      throw new AgentError('INVALID_ARGUMENT', message);
    }
    writeAll(fd, data, Number(offset));
    if (BigInt(fstatSync(fd).size) < fileSize) return;
    fchownSync(fd, request.uid, request.gid);
    fchmodSync(fd, request.fileMode & 0o7777);
  } finally {
    closeSync(fd);
  }
  renameSync(partial, place);
}

function writeAll(fd: number, data: Uint8Array, offset: number): void {
  for (let done = 0; done < data.length; ) done += writeSync(fd, data, done, data.length - done, offset + done);
}
