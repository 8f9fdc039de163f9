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
  server = ProtoField.bool("vfio_user.server", "From the server"),
  fds = ProtoField.uint8("vfio_user.fds", "Descriptors"),
  timers = ProtoField.uint8("vfio_user.timers", "Timers of the device since the last message"),
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
  text = ProtoField.string("vfio_user.version", "Capabilities"),
  payload = ProtoField.bytes("vfio_user.payload", "Payload"),
}
proto.fields = f

local function register_at(region, offset)
  for _, entry in ipairs(registers) do
    if entry[1] == region and offset >= entry[2] and offset < entry[2] + entry[3] then return entry[4] end
  end
  return nil
end

local function access(payload, tree)
  tree:add_le(f.offset, payload(0, 8))
  tree:add_le(f.region, payload(8, 4))
  tree:add_le(f.count, payload(12, 4))
  local region = payload(8, 4):le_uint()
  local name = register_at(region, payload(0, 4):le_uint())
  if name then tree:add(f.register, name) end
  if payload:len() > 16 then tree:add(f.data, payload(16)) end
  return string.format(" %s+0x%x%s", regions[region] or region, payload(0, 4):le_uint(), name and (" " .. name) or "")
end

function proto.dissector(buffer, packet, root)
  if buffer:len() < 20 then return 0 end
  local tree = root:add(proto, buffer())
  tree:add(f.server, buffer(0, 1))
  tree:add(f.fds, buffer(1, 1))
  if buffer(3, 1):uint() == 1 then tree:add(f.timers, buffer(2, 1)) end
  tree:add_le(f.id, buffer(4, 2))
  tree:add_le(f.command, buffer(6, 2))
  tree:add_le(f.size, buffer(8, 4))
  tree:add_le(f.reply, buffer(12, 4))
  tree:add_le(f.noreply, buffer(12, 4))
  tree:add_le(f.failed, buffer(12, 4))
  tree:add_le(f.errno, buffer(16, 4))
  local command = buffer(6, 2):le_uint()
  local flags = buffer(12, 4):le_uint()
  local info = commands[command] or ("command " .. command)
  if bit.band(flags, 0x20) ~= 0 then
    info = info .. " error " .. (errors[buffer(16, 4):le_uint()] or buffer(16, 4):le_uint())
  elseif bit.band(flags, 1) ~= 0 then
    info = info .. " reply"
  end
  if buffer:len() > 20 then
    local payload = buffer(20)
    if (command == 9 or command == 10) and payload:len() >= 16 then
      info = info .. access(payload, tree)
    elseif command == 1 and payload:len() > 4 then
      tree:add(f.text, payload(4))
    else
      tree:add(f.payload, payload)
    end
  end
  packet.cols.protocol = "vfio-user"
  packet.cols.info = info
  return buffer:len()
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, proto)
`;
}
