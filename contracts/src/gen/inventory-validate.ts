// Generated from inventory.schema.json by tools/compile-schemas.ts; do not edit.
// @ts-nocheck
interface SchemaCheck {
  (value: unknown): boolean;
  errors?: { instancePath: string; message?: string }[] | null;
}
const validate = validate10;
const schema11 = {"$schema":"http://json-schema.org/draft-07/schema#","$id":"https://kata-mock.dev/schemas/inventory-1.json","title":"Inventory","type":"object","required":["version","devices"],"properties":{"version":{"const":1},"devices":{"type":"array","maxItems":256,"items":{"$ref":"#/definitions/device"}}},"definitions":{"device":{"type":"object","required":["uuid","hostAddress","deviceTreePath","numaNode","model","cdiName","containerPath"],"properties":{"uuid":{"type":"string","pattern":"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},"hostAddress":{"type":"string","pattern":"^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$"},"deviceTreePath":{"type":"string","pattern":"^([0-9a-f]{2}/)?[01][0-9a-f](\\.[0-7])?(/[01][0-9a-f](\\.[0-7])?){0,7}$"},"numaNode":{"type":"integer","minimum":-1,"maximum":127},"model":{"type":"string","pattern":"^[a-z][a-z0-9-]{0,31}$"},"cdiName":{"type":"string","pattern":"^[A-Za-z0-9]([A-Za-z0-9_.:-]{0,61}[A-Za-z0-9])?$"},"containerPath":{"type":"string","pattern":"^(?!.*//)(?!.*/\\.{1,2}(/|$))/[^\\u0000-\\u001f\\u007f]{0,253}[^/\\u0000-\\u001f\\u007f]$"}}}}};
const schema12 = {"type":"object","required":["uuid","hostAddress","deviceTreePath","numaNode","model","cdiName","containerPath"],"properties":{"uuid":{"type":"string","pattern":"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},"hostAddress":{"type":"string","pattern":"^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$"},"deviceTreePath":{"type":"string","pattern":"^([0-9a-f]{2}/)?[01][0-9a-f](\\.[0-7])?(/[01][0-9a-f](\\.[0-7])?){0,7}$"},"numaNode":{"type":"integer","minimum":-1,"maximum":127},"model":{"type":"string","pattern":"^[a-z][a-z0-9-]{0,31}$"},"cdiName":{"type":"string","pattern":"^[A-Za-z0-9]([A-Za-z0-9_.:-]{0,61}[A-Za-z0-9])?$"},"containerPath":{"type":"string","pattern":"^(?!.*//)(?!.*/\\.{1,2}(/|$))/[^\\u0000-\\u001f\\u007f]{0,253}[^/\\u0000-\\u001f\\u007f]$"}}};
const pattern0 = new RegExp("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "u");
const pattern1 = new RegExp("^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$", "u");
const pattern2 = new RegExp("^([0-9a-f]{2}/)?[01][0-9a-f](\\.[0-7])?(/[01][0-9a-f](\\.[0-7])?){0,7}$", "u");
const pattern3 = new RegExp("^[a-z][a-z0-9-]{0,31}$", "u");
const pattern4 = new RegExp("^[A-Za-z0-9]([A-Za-z0-9_.:-]{0,61}[A-Za-z0-9])?$", "u");
const pattern5 = new RegExp("^(?!.*//)(?!.*/\\.{1,2}(/|$))/[^\\u0000-\\u001f\\u007f]{0,253}[^/\\u0000-\\u001f\\u007f]$", "u");

function validate10(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
/*# sourceURL="https://kata-mock.dev/schemas/inventory-1.json" */;
let vErrors = null;
let errors = 0;
if(errors === 0){
if(data && typeof data == "object" && !Array.isArray(data)){
let missing0;
if(((data.version === undefined) && (missing0 = "version")) || ((data.devices === undefined) && (missing0 = "devices"))){
validate10.errors = [{instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: missing0},message:"must have required property '"+missing0+"'"}];
return false;
}
else {
if(data.version !== undefined){
const _errs1 = errors;
if(1 !== data.version){
validate10.errors = [{instancePath:instancePath+"/version",schemaPath:"#/properties/version/const",keyword:"const",params:{allowedValue: 1},message:"must be equal to constant"}];
return false;
}
var valid0 = _errs1 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.devices !== undefined){
let data1 = data.devices;
const _errs2 = errors;
if(errors === _errs2){
if(Array.isArray(data1)){
if(data1.length > 256){
validate10.errors = [{instancePath:instancePath+"/devices",schemaPath:"#/properties/devices/maxItems",keyword:"maxItems",params:{limit: 256},message:"must NOT have more than 256 items"}];
return false;
}
else {
var valid1 = true;
const len0 = data1.length;
for(let i0=0; i0<len0; i0++){
let data2 = data1[i0];
const _errs4 = errors;
const _errs5 = errors;
if(errors === _errs5){
if(data2 && typeof data2 == "object" && !Array.isArray(data2)){
let missing1;
if((((((((data2.uuid === undefined) && (missing1 = "uuid")) || ((data2.hostAddress === undefined) && (missing1 = "hostAddress"))) || ((data2.deviceTreePath === undefined) && (missing1 = "deviceTreePath"))) || ((data2.numaNode === undefined) && (missing1 = "numaNode"))) || ((data2.model === undefined) && (missing1 = "model"))) || ((data2.cdiName === undefined) && (missing1 = "cdiName"))) || ((data2.containerPath === undefined) && (missing1 = "containerPath"))){
validate10.errors = [{instancePath:instancePath+"/devices/" + i0,schemaPath:"#/definitions/device/required",keyword:"required",params:{missingProperty: missing1},message:"must have required property '"+missing1+"'"}];
return false;
}
else {
if(data2.uuid !== undefined){
let data3 = data2.uuid;
const _errs7 = errors;
if(errors === _errs7){
if(typeof data3 === "string"){
if(!pattern0.test(data3)){
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/uuid",schemaPath:"#/definitions/device/properties/uuid/pattern",keyword:"pattern",params:{pattern: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},message:"must match pattern \""+"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/uuid",schemaPath:"#/definitions/device/properties/uuid/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid3 = _errs7 === errors;
}
else {
var valid3 = true;
}
if(valid3){
if(data2.hostAddress !== undefined){
let data4 = data2.hostAddress;
const _errs9 = errors;
if(errors === _errs9){
if(typeof data4 === "string"){
if(!pattern1.test(data4)){
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/hostAddress",schemaPath:"#/definitions/device/properties/hostAddress/pattern",keyword:"pattern",params:{pattern: "^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$"},message:"must match pattern \""+"^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/hostAddress",schemaPath:"#/definitions/device/properties/hostAddress/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid3 = _errs9 === errors;
}
else {
var valid3 = true;
}
if(valid3){
if(data2.deviceTreePath !== undefined){
let data5 = data2.deviceTreePath;
const _errs11 = errors;
if(errors === _errs11){
if(typeof data5 === "string"){
if(!pattern2.test(data5)){
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/deviceTreePath",schemaPath:"#/definitions/device/properties/deviceTreePath/pattern",keyword:"pattern",params:{pattern: "^([0-9a-f]{2}/)?[01][0-9a-f](\\.[0-7])?(/[01][0-9a-f](\\.[0-7])?){0,7}$"},message:"must match pattern \""+"^([0-9a-f]{2}/)?[01][0-9a-f](\\.[0-7])?(/[01][0-9a-f](\\.[0-7])?){0,7}$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/deviceTreePath",schemaPath:"#/definitions/device/properties/deviceTreePath/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid3 = _errs11 === errors;
}
else {
var valid3 = true;
}
if(valid3){
if(data2.numaNode !== undefined){
let data6 = data2.numaNode;
const _errs13 = errors;
if(!(((typeof data6 == "number") && (!(data6 % 1) && !isNaN(data6))) && (isFinite(data6)))){
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/numaNode",schemaPath:"#/definitions/device/properties/numaNode/type",keyword:"type",params:{type: "integer"},message:"must be integer"}];
return false;
}
if(errors === _errs13){
if((typeof data6 == "number") && (isFinite(data6))){
if(data6 > 127 || isNaN(data6)){
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/numaNode",schemaPath:"#/definitions/device/properties/numaNode/maximum",keyword:"maximum",params:{comparison: "<=", limit: 127},message:"must be <= 127"}];
return false;
}
else {
if(data6 < -1 || isNaN(data6)){
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/numaNode",schemaPath:"#/definitions/device/properties/numaNode/minimum",keyword:"minimum",params:{comparison: ">=", limit: -1},message:"must be >= -1"}];
return false;
}
}
}
}
var valid3 = _errs13 === errors;
}
else {
var valid3 = true;
}
if(valid3){
if(data2.model !== undefined){
let data7 = data2.model;
const _errs15 = errors;
if(errors === _errs15){
if(typeof data7 === "string"){
if(!pattern3.test(data7)){
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/model",schemaPath:"#/definitions/device/properties/model/pattern",keyword:"pattern",params:{pattern: "^[a-z][a-z0-9-]{0,31}$"},message:"must match pattern \""+"^[a-z][a-z0-9-]{0,31}$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/model",schemaPath:"#/definitions/device/properties/model/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid3 = _errs15 === errors;
}
else {
var valid3 = true;
}
if(valid3){
if(data2.cdiName !== undefined){
let data8 = data2.cdiName;
const _errs17 = errors;
if(errors === _errs17){
if(typeof data8 === "string"){
if(!pattern4.test(data8)){
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/cdiName",schemaPath:"#/definitions/device/properties/cdiName/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9]([A-Za-z0-9_.:-]{0,61}[A-Za-z0-9])?$"},message:"must match pattern \""+"^[A-Za-z0-9]([A-Za-z0-9_.:-]{0,61}[A-Za-z0-9])?$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/cdiName",schemaPath:"#/definitions/device/properties/cdiName/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid3 = _errs17 === errors;
}
else {
var valid3 = true;
}
if(valid3){
if(data2.containerPath !== undefined){
let data9 = data2.containerPath;
const _errs19 = errors;
if(errors === _errs19){
if(typeof data9 === "string"){
if(!pattern5.test(data9)){
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/containerPath",schemaPath:"#/definitions/device/properties/containerPath/pattern",keyword:"pattern",params:{pattern: "^(?!.*//)(?!.*/\\.{1,2}(/|$))/[^\\u0000-\\u001f\\u007f]{0,253}[^/\\u0000-\\u001f\\u007f]$"},message:"must match pattern \""+"^(?!.*//)(?!.*/\\.{1,2}(/|$))/[^\\u0000-\\u001f\\u007f]{0,253}[^/\\u0000-\\u001f\\u007f]$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/devices/" + i0+"/containerPath",schemaPath:"#/definitions/device/properties/containerPath/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid3 = _errs19 === errors;
}
else {
var valid3 = true;
}
}
}
}
}
}
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/devices/" + i0,schemaPath:"#/definitions/device/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid1 = _errs4 === errors;
if(!valid1){
break;
}
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/devices",schemaPath:"#/properties/devices/type",keyword:"type",params:{type: "array"},message:"must be array"}];
return false;
}
}
var valid0 = _errs2 === errors;
}
else {
var valid0 = true;
}
}
}
}
else {
validate10.errors = [{instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
validate10.errors = vErrors;
return errors === 0;
}

export const validateInventory: SchemaCheck = validate;
