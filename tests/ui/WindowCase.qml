// What every test of the whole window shares: a fresh window over the stage before each case.
import QtQuick
import QtTest
import Paluku
import PalukuApp

TestCase {
    id: tests

    property var window: null
    readonly property var chat: stage.app.chat
    readonly property string poem: "వేమన పద్యం, దాని అర్థం"
    readonly property string router: "Why does the router use fp32?"

    when: windowShown
    visible: true

    Component {
        id: main

        Main { app: stage.app }
    }

    function named(item, name, fits = () => true) {
        if ((item.Accessible.name || item.text) === name && item.visible && fits(item))
            return item;
        for (let i = 0; i < item.children.length; ++i) {
            const found = named(item.children[i], name, fits);
            if (found)
                return found;
        }
        return null;
    }
    // Where an item stands is known once a frame was drawn: before that, what just became visible lies over its neighbours.
    function click(name, within = window.contentItem) {
        window.update();
        verify(waitForRendering(window.contentItem));
        const item = named(within, name);
        verify(item, name);
        mouseClick(item);
    }
    function inComposer() {
        return window.activeFocusItem && window.activeFocusItem.Accessible.name === chat.placeholder;
    }
    function open(title) {
        stage.openTitle(title);
        wait(50);
    }
    function type(text) {
        for (const letter of text)
            keyClick(letter);
    }

    function newWindow(properties) {
        return createTemporaryObject(main, tests, properties);
    }

    function init() {
        failOnWarning(/TypeError|ReferenceError|RangeError|Binding loop|Unable to assign/);
        stage.loadModel();
        window = newWindow({ width: 1280, height: 800 });
        window.requestActivate();
        tryCompare(window, "active", true);
        open(poem);
        chat.draft = "";
        tryVerify(() => inComposer());
    }
    function cleanup() {
        if (stage.answering())
            stage.finish();
        stage.settle();
    }
}
