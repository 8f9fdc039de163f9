import {
  type Capabilities,
  decodeVersion,
  effectiveCapabilities,
  encodeVersion,
  MAX_DATA_XFER_BYTES,
  MAX_MESSAGE_FDS,
  PROTOCOL_MAJOR,
  PROTOCOL_MINOR,
  protocolError,
} from '../../protocol/index.ts';
import { requireReply } from '../reply-descriptors.ts';
import type { Session } from '../session.ts';
import type { Handler } from './handler.ts';

export const version: Handler = (session, frame) => {
  if (session.state !== 'new') throw protocolError('VERSION a second time');
  requireReply(frame, 'VERSION');
  if (frame.fds.length > 0) throw protocolError('VERSION with descriptors');
  const offer = decodeVersion(frame);
  if (offer.major !== PROTOCOL_MAJOR)
    throw protocolError(`VERSION: major ${offer.major}, only ${PROTOCOL_MAJOR} is known`);
  const proposed = offer.capabilities;
  session.client = effectiveCapabilities(proposed);
  // QEMU is known by its minor 0, and by a key that no other client sends.
  session.isQemu = offer.minor === 0 && proposed?.max_dma_maps !== undefined;
  const payload = encodeVersion({
    major: PROTOCOL_MAJOR,
    minor: Math.min(offer.minor, PROTOCOL_MINOR),
    capabilities: answer(session, proposed ?? {}),
  });
  session.state = 'open';
  return session.put(payload);
};

/** Only what was proposed may be answered. QEMU takes no reply longer than its own request, so it stays short. */
function answer(session: Session, proposed: Capabilities): Capabilities {
  const reply: Capabilities = { max_msg_fds: MAX_MESSAGE_FDS, max_data_xfer_size: MAX_DATA_XFER_BYTES };
  const { writeMultiple } = session.server;
  const agreed = writeMultiple === 'auto' ? !session.isQemu : writeMultiple;
  // What is not said is the specification's default.
  const { maxRegions } = session.server.dma;
  if (maxRegions < session.client.maxDmaMaps) reply.max_dma_maps = maxRegions;
  if (proposed.write_multiple && agreed) reply.write_multiple = true;
  if (proposed.migration && session.server.migration.supported) reply.migration = { pgsize: 4096 };
  if (session.client.twinSocket && session.client.maxMsgFds >= 1) openTwin(session, reply);
  return reply;
}

function openTwin(session: Session, reply: Capabilities): void {
  const twin = session.channel.openTwin?.();
  if (!twin) return;
  session.twin = twin.channel;
  session.replyDescriptors.give(twin.remoteFd);
  reply.twin_socket = { supported: true, fd_index: 0 };
}
