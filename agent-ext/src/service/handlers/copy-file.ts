import { constants } from 'node:fs';
import { chmod, chown, type FileHandle, lchown, lstat, open, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import type { CopyFileRequest } from '@kata-mock/contracts';
import { AgentError } from '../../errors.ts';
import { InTurn } from '../../in-turn.ts';
import { atPlace, checkBelow, openBelow, openDirectoryBelow } from '../../storage/safe-path.ts';
import type { Method } from '../method.ts';

const TYPE = 0o170000;
const DIRECTORY = 0o040000;
const LINK = 0o120000;
const REGULAR = 0o100000;

/**
 * Writes a file of the host's, in one or more pieces, for sandboxes without a shared file system. The file appears
 * under its name when its last byte is there. Type 0 counts as a regular file. What is refused has made nothing.
 */
export const copyFile: Method<'copyFile'> = (agent) => {
  const pieces = new InTurn();
  return async (request) => {
    const { base } = agent.paths;
    checkBelow(base, request.path, 'path of the file');
    const copy = copyOf(request);
    await pieces.do(request.path, () => copy(base, request));
    return {};
  };
};

type Copy = (base: string, request: CopyFileRequest) => Promise<void>;

/** How it is done, after what the request alone can tell was checked. */
function copyOf(request: CopyFileRequest): Copy {
  const { fileMode, offset, fileSize, data } = request;
  const type = fileMode & TYPE;
  if (type === DIRECTORY) return makeDirectory;
  if (type === LINK) {
    if (data.length === 0 || data.includes(0)) refuse(request, 'a link to nothing, or to a name with a NUL byte');
    return makeLink;
  }
  if (type !== REGULAR && type !== 0) {
    refuse(request, `file type ${type.toString(8)} is none of file, directory and link`);
  }
  const end = offset + BigInt(data.length);
  if (offset < 0n || end > fileSize) {
    throw new AgentError(
      'INVALID_ARGUMENT',
      `piece ${offset}..${end} of "${request.path}" is outside its ${fileSize} bytes`,
    );
  }
  return offset === 0n ? writeFirst : writeLater;
}

function refuse(request: CopyFileRequest, why: string): never {
  throw new AgentError('INVALID_ARGUMENT', `cannot copy ${JSON.stringify(request.path)}: ${why}`);
}

/** The numbers are unsigned to the kernel. */
const uid = (request: CopyFileRequest) => request.uid >>> 0;
const gid = (request: CopyFileRequest) => request.gid >>> 0;
const modeOf = (request: CopyFileRequest) => request.fileMode & 0o7777;

async function makeDirectory(base: string, request: CopyFileRequest): Promise<void> {
  await withParent(base, request, () => Promise.resolve());
  // Leads to the directory itself, which a link cannot have replaced.
  await atPlace(openDirectoryBelow(base, request.path), async (place) => {
    await chown(place, uid(request), gid(request));
    await chmod(place, modeOf(request));
  });
}

function makeLink(base: string, request: CopyFileRequest): Promise<void> {
  return withParent(base, request, async (place) => {
    await refuseDirectory(place, request);
    await rm(place, { force: true });
    await symlink(Buffer.from(request.data), place);
    await lchown(place, uid(request), gid(request));
  });
}

function writeFirst(base: string, request: CopyFileRequest): Promise<void> {
  return withParent(base, request, async (place) => {
    await refuseDirectory(place, request);
    await writePiece(place, request, constants.O_CREAT, async (file) => file.truncate(0));
  });
}

/** The parent and the pieces before it are there, or this one comes too early. */
async function writeLater(base: string, request: CopyFileRequest): Promise<void> {
  const hole = (present: number) =>
    new AgentError(
      'INVALID_ARGUMENT',
      `piece from ${request.offset} of "${request.path}" leaves a hole: ${present} bytes came before it`,
    );
  const work = (parent: string) =>
    writePiece(`${parent}/${path.basename(request.path)}`, request, 0, async (file) => {
      const { size } = await file.stat();
      if (request.offset > BigInt(size)) throw hole(size);
    });
  try {
    await atPlace(openBelow(base, path.dirname(request.path)), work);
  } catch (error) {
    const { code } = error as { code?: string };
    throw code === 'ENOENT' || code === 'NOT_FOUND' ? hole(0) : error;
  }
}

/** Works on the name in its parent, which is made with the mode of directories when it is missing. */
function withParent<T>(base: string, request: CopyFileRequest, work: (place: string) => Promise<T>): Promise<T> {
  const mode = request.dirMode & 0o7777 || 0o755;
  return atPlace(openDirectoryBelow(base, path.dirname(request.path), mode), (parent) =>
    work(`${parent}/${path.basename(request.path)}`),
  ) as Promise<T>;
}

async function refuseDirectory(place: string, request: CopyFileRequest): Promise<void> {
  const there = await lstat(place).catch(() => undefined);
  if (there?.isDirectory()) refuse(request, 'a directory is there');
}

async function writePiece(
  place: string,
  request: CopyFileRequest,
  more: number,
  check: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const partial = `${place}.kata-part`;
  // A pipe in its place must not make the agent wait for a reader.
  const flags = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | more;
  const file = await open(partial, flags, 0o600);
  let isWhole = false;
  try {
    await check(file);
    await writeAll(file, request.data, Number(request.offset));
    isWhole = BigInt((await file.stat()).size) >= request.fileSize;
    if (isWhole) {
      await file.chown(uid(request), gid(request));
      await file.chmod(modeOf(request));
    }
  } finally {
    await file.close();
  }
  if (isWhole) await rename(partial, place);
}

async function writeAll(file: FileHandle, data: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    done += (await file.write(data, done, data.length - done, offset + done)).bytesWritten;
  }
}
