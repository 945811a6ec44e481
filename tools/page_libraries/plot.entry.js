// What the page draws with: marks of Observable Plot, and zoom of d3.
export {plot, axisX, axisY, dot, frame, gridX, gridY, line, link, rect, ruleX, ruleY, text, tickX, tip, pointer} from "@observablehq/plot";
export {select, zoom, zoomIdentity, zoomTransform} from "d3";
