import { accessSync, constants, lstatSync, statSync } from 'node:fs';
import { hostNode } from '../inject/host-node.ts';
import type { DeviceNode } from '../types.ts';
import { eachEdits } from './each-edits.ts';
import type { Rule, RuleFinding } from './finding.ts';

/** Device nodes, mounts and hooks that this host does not have. */
export const hostResources: Rule = function* ({ spec }) {
  for (const { edits, path } of eachEdits(spec)) {
    for (const [index, node] of (edits.deviceNodes ?? []).entries())
      yield* deviceNode(node, `${path}.deviceNodes[${index}]`);
    for (const [index, { hostPath, containerPath }] of (edits.mounts ?? []).entries()) {
      const place = `${path}.mounts[${index}]`;
      if (hostPath.startsWith('/') && !statSync(hostPath, { throwIfNoEntry: false })) {
        yield { severity: 'warning', path: `${place}.hostPath`, message: `${hostPath} does not exist on this host` };
      }
      if (!containerPath.startsWith('/')) {
        yield {
          severity: 'warning',
          path: `${place}.containerPath`,
          message: `${containerPath} is not absolute`,
          fix: 'write the path from "/" on',
        };
      }
    }
    for (const [index, hook] of (edits.hooks ?? []).entries()) {
      const place = `${path}.hooks[${index}]`;
      if (!hook.path.startsWith('/')) {
        yield {
          severity: 'warning',
          path: `${place}.path`,
          message: `hook path ${hook.path} is not absolute`,
          fix: 'OCI runtimes refuse it; write the path from "/" on',
        };
      } else if (!isExecutable(hook.path)) {
        yield {
          severity: 'warning',
          path: `${place}.path`,
          message: `hook ${hook.path} is not an executable file of this host`,
        };
      }
      if (hook.timeout !== undefined && hook.timeout <= 0) {
        yield {
          severity: 'warning',
          path: `${place}.timeout`,
          message: `timeout ${hook.timeout} is not above 0`,
          fix: 'OCI runtimes refuse it; leave it out for no limit',
        };
      }
    }
  }
};

function* deviceNode(node: DeviceNode, place: string): Generator<RuleFinding> {
  const hostPath = node.hostPath || node.path;
  if (hostPath.includes('*')) return;
  const found = hostNode(hostPath);
  const isComplete = Boolean(node.type) && (Boolean(Number(node.major ?? 0)) || node.type === 'p');
  if (typeof found === 'string') {
    const link = lstatSync(hostPath, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
    yield {
      severity: isComplete ? 'note' : 'warning',
      path: place,
      message: link
        ? `${hostPath} is a link, which is not followed`
        : `${found}${isComplete ? '' : '; injection will fail'}`,
      ...(link && { fix: 'name the node that the link leads to' }),
    };
  } else if (node.type && node.type !== found.type) {
    yield {
      severity: 'warning',
      path: `${place}.type`,
      message: `${hostPath} has type ${found.type} on this host, not ${node.type}`,
    };
  } else if (isComplete && (Number(node.major) !== found.major || Number(node.minor ?? 0) !== found.minor)) {
    yield {
      severity: 'warning',
      path: place,
      message: `${hostPath} is ${found.major}:${found.minor} on this host, the spec says ${node.major}:${node.minor ?? 0}`,
      fix: 'leave type, major and minor out to take them from the host',
    };
  }
  if (!node.path.startsWith('/'))
    yield { severity: 'warning', path: `${place}.path`, message: `${node.path} is not absolute` };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
