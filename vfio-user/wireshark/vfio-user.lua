-- Dissector of vfio-user traces. Generated from vfio-user/src/mock-accel/registers.json by "npm run generate"; do not edit.
-- tshark -X lua_script:vfio-user.lua -r session.pcapng
local proto = Proto("vfio_user", "vfio-user")

local commands = {
  [1] = "VERSION",
  [2] = "DMA_MAP",
  [3] = "DMA_UNMAP",
  [4] = "DEVICE_GET_INFO",
  [5] = "DEVICE_GET_REGION_INFO",
  [6] = "DEVICE_GET_REGION_IO_FDS",
  [7] = "DEVICE_GET_IRQ_INFO",
  [8] = "DEVICE_SET_IRQS",
  [9] = "REGION_READ",
  [10] = "REGION_WRITE",
  [11] = "DMA_READ",
  [12] = "DMA_WRITE",
  [13] = "DEVICE_RESET",
  [15] = "REGION_WRITE_MULTI",
  [16] = "DEVICE_FEATURE",
  [17] = "MIG_DATA_READ",
  [18] = "MIG_DATA_WRITE",
}
local errors = {
  [1] = "EPERM",
  [2] = "ENOENT",
  [5] = "EIO",
  [7] = "E2BIG",
  [12] = "ENOMEM",
  [13] = "EACCES",
  [14] = "EFAULT",
  [16] = "EBUSY",
  [17] = "EEXIST",
  [19] = "ENODEV",
  [22] = "EINVAL",
  [28] = "ENOSPC",
  [32] = "EPIPE",
  [38] = "ENOSYS",
  [95] = "ENOTSUP",
  [104] = "ECONNRESET",
  [107] = "ENOTCONN",
  [110] = "ETIMEDOUT",
}
-- BAR, offset, bytes, name
local registers = {
  { 0, 0x000, 4, "DEVICE_ID" },
  { 0, 0x004, 4, "REVISION" },
  { 0, 0x008, 16, "UUID" },
  { 0, 0x020, 8, "MEMORY_SIZE" },
  { 0, 0x028, 4, "CAPABILITIES" },
  { 0, 0x02c, 4, "STATUS" },
  { 0, 0x030, 4, "FW_VERSION" },
  { 0, 0x034, 4, "SRIOV_TOTAL_VFS" },
  { 0, 0x038, 4, "SRIOV_NUM_VFS" },
  { 0, 0x100, 4, "PASSPHRASE_CMD" },
  { 0, 0x104, 4, "PASSPHRASE_LENGTH" },
  { 0, 0x108, 4, "PASSPHRASE_STATUS" },
  { 0, 0x10c, 4, "PASSPHRASE_COUNT" },
  { 0, 0x200, 256, "PASSPHRASE_BUFFER" },
  { 0, 0x400, 4, "IRQ_STATUS" },
  { 0, 0x404, 4, "IRQ_ENABLE" },
  { 0, 0x408, 4, "IRQ_RAISE" },
  { 0, 0x420, 8, "DMA_SRC" },
  { 0, 0x428, 8, "DMA_DST" },
  { 0, 0x430, 4, "DMA_LEN" },
  { 0, 0x434, 4, "DMA_CMD" },
  { 0, 0x438, 4, "DMA_STATUS" },
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
