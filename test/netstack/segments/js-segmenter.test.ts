import { JsSegmenter } from '../../../src/netstack/segments/js-segmenter.js';
import { describeSegmenter } from '../../conformance/segmenter.js';

describeSegmenter('JsSegmenter', () => new JsSegmenter());
