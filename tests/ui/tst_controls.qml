// Our controls alone: keys, accessible names, the ring after keys only.
import QtQuick
import QtTest
import Paluku

TestCase {
    id: tests

    name: "Controls"
    when: windowShown
    width: 600
    height: 400
    visible: true

    Component {
        id: row

        Row {
            property alias first: first
            property alias second: second

            Button { id: first; text: "Say" }
            IconButton { id: second; iconName: "copy"; text: "Copy"; key: "Ctrl+C" }
        }
    }
    Component { id: segmented; Segmented { name: "Look"; choices: ["A", "B", "C"]; onChosen: index => current = index } }
    Component { id: slider; Slider { name: "Size"; from: 0; to: 100; stepSize: 5; value: 50; valueText: "half" } }
    Component { id: field; Field { name: "New name"; text: "old" } }
    Component { id: toggle; Switch { text: "Enter sends" } }
    Component {
        id: letter

        Column {
            property alias area: area
            property alias after: after

            Area { id: area; name: "Instruction"; placeholderText: "hint" }
            Button { id: after; text: "After" }
        }
    }
    Component { id: combo; Combo { name: "Language"; model: ["System", "English", "తెలుగు"] } }
    Component { id: words; UiText { text: "<b>bold</b><img src='file:///none.png' width='9'>" } }
    Component { id: document; UiTextEdit { text: "<b>bold</b>" } }
    SignalSpy { id: spy; signalName: "clicked" }

    function test_enter_and_space_press_a_button() {
        const item = createTemporaryObject(row, tests);
        spy.target = item.first;
        spy.clear();
        item.first.forceActiveFocus(Qt.TabFocusReason);
        keyClick(Qt.Key_Return);
        keyClick(Qt.Key_Space);
        compare(spy.count, 2);
    }
    function test_ring_only_after_keys() {
        const item = createTemporaryObject(row, tests);
        mouseClick(item.first);
        verify(!item.first.visualFocus);
        keyClick(Qt.Key_Tab);
        verify(item.second.visualFocus);
        verify(!item.first.visualFocus);
    }
    function test_names() {
        const item = createTemporaryObject(row, tests);
        compare(item.second.Accessible.name || item.second.text, "Copy");
        compare(createTemporaryObject(slider, tests).Accessible.name, "Size");
        compare(createTemporaryObject(slider, tests).Accessible.description, "half");
        compare(createTemporaryObject(field, tests).Accessible.name, "New name");
        compare(createTemporaryObject(combo, tests).Accessible.name, "Language");
    }
    function test_segmented_is_one_stop_and_arrows_choose() {
        const item = createTemporaryObject(segmented, tests);
        item.forceActiveFocus(Qt.TabFocusReason);
        keyClick(Qt.Key_Right);
        compare(item.current, 1);
        keyClick(Qt.Key_Right);
        keyClick(Qt.Key_Right);
        compare(item.current, 2);
        keyClick(Qt.Key_Left);
        compare(item.current, 1);
    }
    function test_slider_steps() {
        const item = createTemporaryObject(slider, tests);
        item.forceActiveFocus(Qt.TabFocusReason);
        keyClick(Qt.Key_Right);
        compare(item.value, 55);
        keyClick(Qt.Key_PageDown);
        compare(item.value, 5);
    }
    function test_switch_by_space() {
        const item = createTemporaryObject(toggle, tests);
        item.forceActiveFocus(Qt.TabFocusReason);
        keyClick(Qt.Key_Space);
        verify(item.checked);
    }
    function test_combo_by_keys() {
        const item = createTemporaryObject(combo, tests);
        item.forceActiveFocus(Qt.TabFocusReason);
        keyClick(Qt.Key_Down);
        keyClick(Qt.Key_Down);
        compare(item.displayText, "తెలుగు");
    }
    function test_tab_leaves_an_area_and_its_text_is_kept() {
        const item = createTemporaryObject(letter, tests);
        item.area.forceActiveFocus(Qt.TabFocusReason);
        keyClick("a");
        keyClick(Qt.Key_Return);
        keyClick("b");
        keyClick(Qt.Key_Tab);
        compare(item.area.text, "a\nb");
        verify(item.after.activeFocus);
    }
    function test_text_is_never_markup() {
        compare(createTemporaryObject(words, tests).textFormat, Text.PlainText);
        compare(createTemporaryObject(document, tests).textFormat, TextEdit.PlainText);
    }
    function test_lines_of_mixed_scripts_are_equal() {
        const item = createTemporaryObject(words, tests);
        const heights = ["Latin gj", "క్ష్మి స్త్రీ", "mixed జ్ఞానం text"].map(text => { item.text = text; return item.implicitHeight; });
        compare(heights[0], Theme.ui.line);
        compare(heights[1], heights[0]);
        compare(heights[2], heights[0]);
    }
    function test_telugu_stands_on_the_same_baseline() {
        const item = createTemporaryObject(words, tests);
        item.text = "Latin";
        const latin = item.baselineOffset;
        item.text = "తెలుగు";
        verify(Math.abs(item.baselineOffset - latin) < 1, item.baselineOffset + " and " + latin);
    }
    function test_text_scale_multiplies_lines_and_rows() {
        const line = Theme.body.line;
        Theme.textScale = 1.6;
        compare(Theme.body.line, Math.round(27 * 1.6));
        compare(Theme.rowHeight, Math.round(38 * 1.6));
        Theme.textScale = 1;
        compare(Theme.body.line, line);
    }
    function test_reduced_motion_takes_all_durations_away() {
        Theme.reducedMotion = true;
        compare(Theme.quick + Theme.normal + Theme.slow, 0);
        Theme.reducedMotion = false;
        verify(Theme.quick > 0);
    }
}
