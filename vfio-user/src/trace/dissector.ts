import { Command, Errno } from '../protocol/index.ts';
import type { RegisterBook } from '../register-book/book.ts';

/** A Wireshark dissector in Lua for traces of this package (link type USER0), with the register names of a book. */
export function toDissector(book: RegisterBook, source: string): string {
  const commands = Object.entries(Command).map(([name, number]) => `  [${number}] = "${name}",`);
  const errors = Object.entries(Errno).map(([name, number]) => `  [${number}] = "${name}",`);
  const registers = book.blocks.flatMap(({ bar, registers: list }) =>
    list.map(({ name, offset, width }) => `  { ${bar}, ${offset}, ${width}, "${name}" },`),
  );
  return `-- Dissector of vfio-user traces. Generated from ${source} by "npm run generate"; do not edit.
-- tshark -X lua_script:vfio-user.lua -r session.pcapng
local proto = Proto("vfio_user", "vfio-user")

local commands = {
${commands.join('\n')}
}
local errors = {
${errors.join('\n')}
}
-- BAR, offset, bytes, name
local registers = {
${registers.join('\n')}
}
local regions = { [6] = "rom", [7] = "config", [8] = "vga" }
for bar = 0, 5 do regions[bar] = "bar" .. bar end

local f = {
  origin = ProtoField.uint8("vfio_user.origin", "Origin", base.DEC, { [0] = "client", [1] = "server", [2] = "random bytes" }),
  fds = ProtoField.uint8("vfio_user.fds", "Descriptors"),
  timers = ProtoField.uint32("vfio_user.timers", "Timers of the device since the last message"),
  id = ProtoField.uint16("vfio_user.id", "Message id"),
  command = ProtoField.uint16("vfio_user.command", "Command", base.DEC, commands),
  size = ProtoField.uint32("vfio_user.size", "Size"),
  reply = ProtoField.bool("vfio_user.reply", "Reply", 32, nil, 0x1),
  noreply = ProtoField.bool("vfio_user.no_reply", "No reply wanted", 32, nil, 0x10),
  failed = ProtoField.bool("vfio_user.failed", "Error", 32, nil, 0x20),
  errno = ProtoField.uint32("vfio_user.errno", "Error number", base.DEC, errors),
  offset = ProtoField.uint64("vfio_user.offset", "Offset", base.HEX),
  region = ProtoField.uint32("vfio_user.region", "Region", base.DEC, regions),
  count = ProtoField.uint32("vfio_user.count", "Count"),
  register = ProtoField.string("vfio_user.register", "Register"),
  data = ProtoField.bytes("vfio_user.data", "Data"),
  address = ProtoField.uint64("vfio_user.address", "Address", base.HEX),
  random = ProtoField.bytes("vfio_user.random", "Random bytes"),
  text = ProtoField.string("vfio_user.version", "Capabilities"),
  payload = ProtoField.bytes("vfio_user.payload", "Payload"),
}
proto.fields = f

local function register_at(region, offset)
  for _, entry in ipairs(registers) do
    if entry[1] == region and offset >= UInt64(entry[2]) and offset < UInt64(entry[2] + entry[3]) then return entry[4] end
  end
  return nil
end

-- Offset, region and count of an access or of one of many writes; adds them to the tree.
local function place(fields, tree)
  tree:add_le(f.offset, fields(0, 8))
  tree:add_le(f.region, fields(8, 4))
  tree:add_le(f.count, fields(12, 4))
  local region = fields(8, 4):le_uint()
  local offset = fields(0, 8):le_uint64()
  local name = register_at(region, offset)
  if name then tree:add(f.register, name) end
  return string.format(" %s+0x%s%s", regions[region] or region, offset:tohex():gsub("^0+(%x)", "%1"), name and (" " .. name) or "")
end

local function access(payload, tree)
  if payload:len() > 16 then tree:add(f.data, payload(16)) end
  return place(payload, tree)
end

local function writes(payload, tree)
  local info = ""
  for at = 8, payload:len() - 24, 24 do
    local size = payload(at + 12, 4):le_uint()
    local write = tree:add(proto, payload(at, 24), "Write")
    info = info .. place(payload(at, 24), write)
    if size > 0 and size <= 8 then write:add(f.data, payload(at + 16, size)) end
  end
  return info
end

local function dma(payload, tree)
  tree:add_le(f.address, payload(0, 8))
  if payload:len() > 16 then tree:add(f.data, payload(16)) end
  return string.format(" 0x%s %d bytes", payload(0, 8):le_uint64():tohex(), payload(8, 4):le_uint())
end

function proto.dissector(buffer, packet, root)
  if buffer:len() < 8 then return 0 end
  local tree = root:add(proto, buffer())
  tree:add(f.origin, buffer(0, 1))
  tree:add(f.fds, buffer(1, 1))
  if buffer(2, 1):uint() == 1 then tree:add_le(f.timers, buffer(4, 4)) end
  packet.cols.protocol = "vfio-user"
  if buffer(0, 1):uint() == 2 then
    tree:add(f.random, buffer(8))
    packet.cols.info = "random bytes"
    return buffer:len()
  end
  if buffer:len() < 24 then return buffer:len() end
  tree:add_le(f.id, buffer(8, 2))
  tree:add_le(f.command, buffer(10, 2))
  tree:add_le(f.size, buffer(12, 4))
  tree:add_le(f.reply, buffer(16, 4))
  tree:add_le(f.noreply, buffer(16, 4))
  tree:add_le(f.failed, buffer(16, 4))
  tree:add_le(f.errno, buffer(20, 4))
  local command = buffer(10, 2):le_uint()
  local flags = buffer(16, 4):le_uint()
  local reply = bit.band(flags, 1) ~= 0
  local info = commands[command] or ("command " .. command)
  if bit.band(flags, 0x20) ~= 0 then
    info = info .. " error " .. (errors[buffer(20, 4):le_uint()] or buffer(20, 4):le_uint())
  elseif reply then
    info = info .. " reply"
  end
  if buffer:len() > 24 then
    local payload = buffer(24)
    if (command == 9 or command == 10) and payload:len() >= 16 then
      info = info .. access(payload, tree)
    elseif (command == 11 or command == 12) and payload:len() >= 16 then
      info = info .. dma(payload, tree)
    elseif command == 15 and not reply then
      info = info .. writes(payload, tree)
    elseif command == 1 and payload:len() > 4 then
      tree:add(f.text, payload(4))
    else
      tree:add(f.payload, payload)
    end
  end
  packet.cols.info = info
  return buffer:len()
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, proto)
`;
}
